"""Compare the typos of Holdfast with real misspellings: kinds of edits, their place in the word, wrong first letters.

python benchmarks/typo_realism.py [--shared ../shared]

Reads data/misspellings_wikipedia.jsonl (`error`, `word`; Wikipedia's list of common misspellings, CC BY-SA) in the
given folder, makes one typo in each correct word, several times, and compares the shares. TV is the total variation
distance: half the sum of the absolute differences, 0 if the distributions are equal and 1 if they are disjoint.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from holdfast.perturbations import perturbations

KINDS = ("omission", "substitution", "insertion: doubling", "insertion: other", "transposition")
FIFTHS = ("first fifth", "second", "third", "fourth", "last fifth")
ROUNDS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="the folder that contains data/")
    path = parser.parse_args().shared / "data" / "misspellings_wikipedia.jsonl"
    pairs = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    real = [(pair["word"], pair["error"]) for pair in pairs if single_edit(pair["word"], pair["error"])]
    ours = [*typed(sorted({word for word, _ in real}))]
    print(f"{len(real):,} real misspellings one edit away from their word, {len(ours):,} typos of the same words\n")
    seen = [[kind_and_fifth(*pair) for pair in side] for side in (real, ours)]
    report("kind of edit", KINDS, *([kind for kind, _ in side] for side in seen))
    report("place in the word", FIFTHS, *([fifth for _, fifth in side] for side in seen))
    for wanted in KINDS:
        report(f"place, {wanted}", FIFTHS, *([fifth for kind, fifth in side if kind == wanted] for side in seen))
    first = [sum(difference(*pair)[0] == 0 for pair in side) / len(side) for side in (real, ours)]
    print(f"{'first letter wrong':<40}{first[0]:>8.1%}{first[1]:>8.1%}")


def typed(words: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Yield each word with one typo, `ROUNDS` times, skipping words that come out unchanged."""
    apply = perturbations.get("typos").apply
    for seed in range(ROUNDS):
        rng = Random(seed)
        for word in words:
            error = apply(word, 1e-9, rng).text
            if single_edit(word, error):
                yield word, error


def report(title: str, names: Sequence[str], real: Sequence[str], ours: Sequence[str]) -> None:
    shares = [{name: Counter(side)[name] / len(side) for name in names} for side in (real, ours)]
    distance = sum(abs(shares[0][name] - shares[1][name]) for name in names) / 2
    print(f"{title:<40}{'real':>8}{'ours':>8}   TV {distance:.3f}")
    for name in names:
        print(f"  {name:<38}{shares[0][name]:>8.1%}{shares[1][name]:>8.1%}")
    print()


def difference(word: str, error: str) -> tuple[int, str, str]:
    """Return the index of the first difference, and the differing parts of the word and the error."""
    start = 0
    while start < min(len(word), len(error)) and word[start] == error[start]:
        start += 1
    end = 0
    while end < min(len(word), len(error)) - start and word[-1 - end] == error[-1 - end]:
        end += 1
    return start, word[start : len(word) - end], error[start : len(error) - end]


def single_edit(word: str, error: str) -> bool:
    _, lost, gained = difference(word, error)
    one = len(lost) <= 1 and len(gained) <= 1 and lost != gained
    return one or (len(lost) == 2 and gained == lost[::-1])


def kind_and_fifth(word: str, error: str) -> tuple[str, str]:
    """Return the kind of a single edit, and the fifth of the word that it is in."""
    start, lost, gained = difference(word, error)
    fifth = FIFTHS[min(4, 5 * start // len(word))]
    if len(lost) == 2:
        return "transposition", fifth
    if not gained:
        return "omission", fifth
    if lost:
        return "substitution", fifth
    doubling = gained in (word[start - 1 : start], word[start : start + 1])
    return "insertion: doubling" if doubling else "insertion: other", fifth


if __name__ == "__main__":
    main()
