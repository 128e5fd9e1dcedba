"""Measure the speed of drift on one core, against the encoder alone, and against a naive implementation.

python benchmarks/drift_speed.py [--pairs 2000] [--repeats 5] [--sentences FILE]

FILE has a JSON object with two sentences, "a" and "b", on each line; answers of two such sentences, none of them seen
twice, show the speed on real text. All times are processor times: set OMP_NUM_THREADS=1.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.language.detection import language_of
from holdfast.language.spelling import correct_misspellings
from holdfast.metrics.alignment import align, masses
from holdfast.metrics.comparers.facts import Facts
from holdfast.metrics.comparers.segment_comparer import Answers
from holdfast.metrics.costs import shipped_costs
from holdfast.metrics.drift import segment_drift
from holdfast.metrics.encoders.encoder import Encoding, encoders
from holdfast.metrics.encoders.remembering import Remembered
from holdfast.metrics.facts import Finding, Worded, comparer, words_of
from holdfast.metrics.segments import segment

NAMES = "Anna Ben Clara David Elena Frank Grace Henry Irene Jonas Karen Louis Maria Nils Olga Peter".split()
VERBS = "meets calls visits thanks warns pays joins follows invites helps".split()
PLACES = "the old station,the north harbour,a small café,the town hall,the new library,her office".split(",")
TAILS = (
    "after lunch,on Monday,because of the rain,to talk about the budget,before the long trip,with two friends".split(
        ","
    )
)
VARIANTS = 20
"""Perturbed answers per clean answer: ten perturbations at two severities."""


SENTENCES = Path("../shared/data/pairs_mrpc_train.jsonl")
WARM_UP = 100
"""Pairs that are compared first, to load all tables."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pairs", type=int, default=2_000)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--sentences", type=Path, default=SENTENCES if SENTENCES.exists() else None)
    args = arguments.parse_args()
    segment_drift(*answers(200, random.Random(2)), encoding="lexical")
    if args.sentences:
        clean, perturbed = read_answers(args.sentences)
        segment_drift(clean[:WARM_UP], perturbed[:WARM_UP], encoding="lexical")
        clean, perturbed = clean[WARM_UP:], perturbed[WARM_UP:]
        took = median(lambda: segment_drift(clean, perturbed, encoding="lexical"), 1)
        print(
            f"{len(clean)} pairs of two real sentences, never seen, encoder lexical: {len(clean) / took:,.0f} pairs/s"
        )

    clean, perturbed = answers(args.pairs, random.Random(0))
    drift = lambda: segment_drift(clean, perturbed, encoding="lexical")  # noqa: E731
    kind = f"pairs of four sentences, {VARIANTS} variants each, encoder lexical"
    print(f"{len(clean)} new {kind}: {len(clean) / median(drift, 1):,.0f} pairs/s")
    print(f"{len(clean)} cached {kind}: {len(clean) / median(drift, args.repeats):,.0f} pairs/s (target 4,000)")
    compare_with_naive(*answers(max(50, args.pairs // 10), random.Random(1)), args.repeats)
    for count in (200, 1_000):
        long = [" ".join(sentence(random.Random(i)) for i in range(start, start + count)) for start in (0, count // 2)]
        pair = lambda: segment_drift(long[:1], long[1:], encoding="lexical")  # noqa: E731, B023
        pair()
        print(f"one pair of {count}-segment answers, cached: {median(pair, 3) * 1000:,.0f} ms")


def compare_with_naive(clean: Sequence[str], perturbed: Sequence[str], repeats: int) -> None:
    """Print how long the encoder and a naive loop take, and whether the loop finds the same transport distances."""
    minilm: Any = encoders.get("minilm").build()
    whole = median(
        lambda: segment_drift(clean, perturbed, encoding=Encoding("minilm", Remembered(minilm))), min(3, repeats)
    )
    both = list(dict.fromkeys([*clean, *perturbed]))
    pieces = list(dict.fromkeys(part.text for parts in segment(both) for part in parts))
    bare = median(lambda: (minilm(both), read(pieces, minilm)), min(3, repeats))
    print(f"minilm: {bare / whole:.0%} of the time is the encoding of {len(both) + len(pieces)} texts (target 85 %)")

    known: Any = Remembered(minilm)
    ours = [transport_cost(*pair, known) for pair in zip(clean, perturbed, strict=True)]
    theirs = naive(clean, perturbed, known)
    apart = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    took = median(lambda: naive(clean, perturbed, minilm), 1)
    print(f"naive loop, which encodes pair by pair: {took / whole:.1f} times slower; largest difference {apart:.1e}")


def naive(clean: Sequence[str], perturbed: Sequence[str], encode: Any) -> list[float]:
    """Compute the transport distance of each pair in the obvious way: encode its segments, compare all of them, POT."""
    import ot

    costs, found = shipped_costs().of(vectors=True), []
    for before, after in zip(clean, perturbed, strict=True):
        ours, theirs, a, b = texts_of(before, after)
        (first, its_words), (second, other_words) = read(ours, encode), read(theirs, encode)
        _ = 1 - encode([before]) @ encode([after]).T  # the global drift, which the fast path also computes
        compare = comparer(ours, theirs, words=(its_words, other_words))
        semantic, cost = distances(ours, first, theirs, second), np.zeros((len(ours), len(theirs)))
        for i, j in np.ndindex(*cost.shape):
            cost[i, j] = costs.cost(costs.total([*compare((i,), (j,)), Finding("meaning", semantic[i, j], "")]))
        found.append(float((ot.emd(a, b, semantic) * semantic).sum()))
    return found


def transport_cost(before: str, after: str, encode: Any) -> float:
    """Return the distance that the plan moves the mass, before segments are grouped."""
    ours, theirs, a, b = texts_of(before, after)
    (first, its_words), (second, other_words) = read(ours, encode), read(theirs, encode)
    judge = Facts().judge(Answers(ours, theirs, words=(its_words, other_words)))
    semantic = distances(ours, first, theirs, second)
    return float((align(semantic, a, b, lambda one, other: 1.0, judge).plan * semantic).sum())


def texts_of(before: str, after: str) -> tuple[list[str], list[str], Any, Any]:
    """Return the texts and masses of two answers' segments, with misspellings corrected."""
    ours, theirs = segment([before, after])
    read = correct_misspellings([part.text for part in ours], [part.text for part in theirs])
    return *read, masses([part.mass for part in ours]), masses([part.mass for part in theirs])


def read(texts: Sequence[str], encode: Any) -> tuple[Any, list[Worded]]:
    """Return the vectors of texts, and their words with vectors."""
    words = [words_of(text, language_of(text)) for text in texts]
    rows, vectors = encode.with_words(texts, [[(word.start, word.end) for word in each] for each in words])
    return rows.astype(np.float64), [Worded(*each) for each in zip(words, vectors, strict=True)]


def distances(ours: Sequence[str], first: Any, theirs: Sequence[str], second: Any) -> Any:
    """Return the semantic distances between segments, 0 for equal ones."""
    apart = np.clip(1 - first @ second.T, 0, 1)
    apart[np.array(ours, dtype=object)[:, None] == np.array(theirs, dtype=object)] = 0.0
    return apart


def read_answers(path: Path) -> tuple[list[str], list[str]]:
    """Return pairs of answers of two sentences each, from a file of pairs of sentences."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    twos = list(zip(rows[::2], rows[1::2], strict=False))
    return [f"{one['a']} {two['a']}" for one, two in twos], [f"{one['b']} {two['b']}" for one, two in twos]


def answers(count: int, rng: random.Random) -> tuple[list[str], list[str]]:
    """Return pairs of four sentences of which one to three differ; each clean answer is in VARIANTS pairs."""
    clean, perturbed = [], []
    for at in range(count):
        if at % VARIANTS == 0:
            sentences = [sentence(rng) for _ in range(4)]
        changed = list(sentences)
        for place in rng.sample(range(4), rng.randint(1, 3)):
            changed[place] = sentence(rng)
        clean.append(" ".join(sentences))
        perturbed.append(" ".join(changed))
    return clean, perturbed


def sentence(rng: random.Random) -> str:
    who, whom = rng.sample(NAMES, 2)
    price = f" and pays {rng.randint(2, 90)} euros" if rng.random() < 0.3 else ""
    return f"{who} {rng.choice(VERBS)} {whom} at {rng.choice(PLACES)} {rng.choice(TAILS)}{price}."


def median(work: Callable[[], object], repeats: int) -> float:
    """Return the median processor time of some work, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
