"""Measure the speed of drift: without the encoder, against the encoder alone, and against a naive implementation.

python benchmarks/drift_speed.py [--pairs 2000] [--repeats 5]
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from holdfast.language.spelling import correct_misspellings
from holdfast.metrics.alignment import NEARNESS, align, discount_rewordings, masses
from holdfast.metrics.drift import Drift, segment_drift
from holdfast.metrics.encoders.encoder import Encoding, load_encoder
from holdfast.metrics.facts import comparer
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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pairs", type=int, default=2_000)
    arguments.add_argument("--repeats", type=int, default=5)
    args = arguments.parse_args()
    clean, perturbed = answers(args.pairs, random.Random(0))
    minilm = load_encoder("minilm")
    segment_drift(*answers(200, random.Random(2)), encoding=Encoding("minilm", Remembering(hashed)))  # loads all tables

    fresh = answers(args.pairs, random.Random(1))
    known = Remembering(hashed)
    known(unique_texts(*fresh))
    start = time.perf_counter()
    segment_drift(*fresh, encoding=Encoding("minilm", known))
    print(f"{len(clean)} new pairs, without the encoder: {args.pairs / (time.perf_counter() - start):,.0f} pairs/s")

    known = Remembering(minilm)
    drift = lambda: segment_drift(clean, perturbed, encoding=Encoding("minilm", known))  # noqa: E731
    drift()
    took = median(drift, args.repeats)
    print(f"{len(clean)} cached pairs, without the encoder: {len(clean) / took:,.0f} pairs/s (target 4,000)")

    few = slice(0, max(50, args.pairs // 10))
    whole = median(lambda: segment_drift(clean[few], perturbed[few], encoding=Encoding("minilm", minilm)), args.repeats)
    unique = unique_texts(clean[few], perturbed[few])
    bare = median(lambda: minilm(unique), args.repeats)
    print(
        f"with minilm: {bare / whole:.0%} of the time is the encoding of the {len(unique)} unique texts (target 85 %)"
    )

    naive_took = median(lambda: naive(clean[few], perturbed[few], minilm), min(2, args.repeats))
    single = lambda texts: np.concatenate([minilm([text]) for text in texts])  # noqa: E731
    single_took = median(lambda: naive(clean[few], perturbed[few], single), min(2, args.repeats))
    ours = [transport_cost(*pair, known) for pair in zip(clean[few], perturbed[few], strict=True)]
    theirs = naive(clean[few], perturbed[few], known)
    worst = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    print(
        f"naive loop: {single_took / whole:.1f} times slower if it encodes segment by segment (target 10), "
        f"{naive_took / whole:.1f} if answer by answer; largest difference {worst:.1e}"
    )

    for count in (200, 10_000):
        long = [" ".join(sentence(random.Random(i)) for i in range(start, start + count)) for start in (0, count // 2)]
        remembered = Remembering(minilm if count < 1000 else hashed)
        pair = lambda: segment_drift(long[:1], long[1:], encoding=Encoding("minilm", remembered))  # noqa: E731, B023
        pair()
        print(f"one pair of {count}-segment answers, without the encoder: {median(pair, 3) * 1000:,.0f} ms")


class Remembering:
    """A caching encoder, so that everything else can be timed."""

    def __init__(self, encode: Callable[[Sequence[str]], Any]) -> None:
        self.encode = encode
        self.vectors: dict[str, Any] = {}
        self.last: tuple[tuple[str, ...], Any] = ((), None)

    def __call__(self, texts: Sequence[str]) -> Any:
        if tuple(texts) == self.last[0]:
            return self.last[1]
        missing = [text for text in texts if text not in self.vectors]
        if missing:
            self.vectors |= dict(zip(missing, self.encode(missing), strict=True))
        self.last = tuple(texts), np.stack([self.vectors[text] for text in texts])
        return self.last[1]


def hashed(texts: Sequence[str]) -> Any:
    """Stand in for an encoder: return random vectors seeded by the texts."""
    rows = np.stack([np.random.default_rng(abs(hash(text)) % 2**32).standard_normal(64) for text in texts])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def naive(clean: Sequence[str], perturbed: Sequence[str], encode: Callable[[Sequence[str]], Any]) -> list[float]:
    """Compute the transport cost of each pair in the obvious way: encode segments and wholes, the dense cost, POT."""
    import ot

    found = []
    for before, after in zip(clean, perturbed, strict=True):
        ours, theirs = segment([before, after])
        read = correct_misspellings([part.text for part in ours], [part.text for part in theirs])
        first, second = encode(read[0]), encode(read[1])
        _ = 1 - encode([before]) @ encode([after]).T  # the global drift, which the fast path also computes
        compare = comparer(*read)
        cost = np.clip(1 - first.astype(np.float64) @ second.T.astype(np.float64), 0, 1)
        cost[np.array(read[0], dtype=object)[:, None] == np.array(read[1], dtype=object)] = 0.0
        nearness = discount_rewordings(cost, compare)
        cost = nearness.copy()
        for i, one in enumerate(read[0]):
            for j, other in enumerate(read[1]):
                cost[i, j] = 0.0 if one == other else max(cost[i, j], compare((i,), (j,)).cost)
        a, b = (np.array([part.mass for part in parts], dtype=float) for parts in (ours, theirs))
        found.append(float((ot.emd(a / a.sum(), b / b.sum(), cost + NEARNESS * nearness) * cost).sum()))
    return found


def transport_cost(before: str, after: str, encode: Callable[[Sequence[str]], Any]) -> float:
    """Return the cost of the plan that drift is based on, before segments are grouped."""
    ours, theirs = segment([before, after])
    read = correct_misspellings([part.text for part in ours], [part.text for part in theirs])
    semantic = np.clip(1 - encode(read[0]).astype(np.float64) @ encode(read[1]).astype(np.float64).T, 0, 1)
    semantic[np.array(read[0], dtype=object)[:, None] == np.array(read[1], dtype=object)] = 0.0
    a, b = (masses([part.mass for part in parts]) for parts in (ours, theirs))
    found = align(semantic, a, b, lambda one, other: 1.0, comparer(*read))
    return float((found.plan * found.cost).sum())


def unique_texts(clean: Sequence[str], perturbed: Sequence[str]) -> list[str]:
    both = [*clean, *perturbed]
    return list(dict.fromkeys([*both, *(part.text for parts in segment(both) for part in parts)]))


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


def median(work: Callable[[], Sequence[Drift] | Any], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
