"""Swapped labels keep the rows of a sample together, and fail as seldom as they should."""

import numpy as np

from holdfast.harness.results.check.inference.differences import Pairs, difference
from holdfast.harness.results.check.inference.label_swaps import label_swaps


def make(samples: int, rows: int) -> Pairs:
    rng = np.random.default_rng(5)
    of = np.repeat(rng.permutation(samples), rows)
    old = (rng.random(samples * rows) < 0.9).astype(float)
    return Pairs(old, (rng.random(samples * rows) < 0.6).astype(float), of)


def test_whole_samples_are_swapped() -> None:
    pairs = make(30, 4)
    for swapped in label_swaps(pairs, 5):
        kept = (swapped.old == pairs.old) & (swapped.new == pairs.new)
        turned = (swapped.old == pairs.new) & (swapped.new == pairs.old)
        for sample in range(30):
            rows = pairs.clusters == sample
            assert kept[rows].all() or turned[rows].all()


def test_swaps_follow_the_seed() -> None:
    pairs = make(30, 4)
    first, again, other = ([swapped.old.tolist() for swapped in label_swaps(pairs, 3, seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first[0] != first[1]


def test_swapped_labels_rarely_differ() -> None:
    worse = sum(difference(swapped).interval(0.95)[1] < 0 for swapped in label_swaps(make(100, 3), 400))
    assert difference(make(100, 3)).interval(0.95)[1] < -0.1
    assert worse <= 0.05 * 400
