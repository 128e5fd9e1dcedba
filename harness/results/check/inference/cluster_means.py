"""Reduce rows that belong together to one value, so that what is left is independent."""

from typing import Any

import numpy as np

from holdfast.harness.results.statistics import Values

Clusters = np.ndarray[Any, np.dtype[np.int64]]


def cluster_means(values: Values, clusters: Clusters) -> Values:
    """Return the mean of each cluster's values, in the order of the clusters' numbers.

    Args:
        values: (n,).
        clusters: (n,), the cluster that each value belongs to; any integers.

    Returns:
        (clusters,).

    >>> cluster_means(np.array([0.0, 1.0, 1.0]), np.array([7, 7, 9])).tolist()
    [0.5, 1.0]
    """
    _, places = np.unique(clusters, return_inverse=True)
    sums = np.bincount(places, weights=values)
    means: Values = sums / np.bincount(places, minlength=len(sums))
    return means.round(12)  # equal rows in another order may add up to a little more or less
