"""Swap the labels of old and new at random, to see how often a check fails where nothing is worse."""

from collections.abc import Iterator

import numpy as np

from holdfast.harness.results.check.inference.differences import Pairs


def label_swaps(pairs: Pairs, count: int, seed: int = 0) -> Iterator[Pairs]:
    """Yield `count` copies of the pairs in which old and new are exchanged at random, by whole cluster.

    All rows of a sample are exchanged together, or none: they move together (Winkler et al. 2015).

    >>> pairs = Pairs(np.zeros(4), np.ones(4), np.array([1, 1, 2, 2]))
    >>> [swapped.new.tolist() for swapped in label_swaps(pairs, 2)]
    [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
    """
    rng = np.random.default_rng(seed)
    names, places = np.unique(pairs.clusters, return_inverse=True)
    for _ in range(count):
        swapped = rng.integers(0, 2, len(names)).astype(bool)[places]
        yield Pairs(np.where(swapped, pairs.new, pairs.old), np.where(swapped, pairs.old, pairs.new), pairs.clusters)
