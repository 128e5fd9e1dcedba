"""Confidence intervals: Wilson for proportions, bootstrap over samples for means, both from scipy."""

from collections.abc import Sequence
from typing import Any

import numpy as np

LEVEL = 0.95
RESAMPLES = 1000
FEWEST = 5
"""Number of samples from which there is an interval."""
_CELLS_AT_ONCE = 4_000_000

Values = np.ndarray[Any, np.dtype[np.float64]]


def mean_intervals(values: Values, seed: int = 0) -> tuple[Values, Values]:
    """Return 95 % confidence intervals of column means, by the percentile bootstrap over rows.

    All columns of a sample are resampled together (Efron and Tibshirani 1993, chapter 13). NaN marks a missing value:
    a column's interval is over the samples that have one. With fewer than `FEWEST` values, or without spread, there is
    no interval: a width of zero would look certain, so the ends are NaN.

    Args:
        values: (samples, k).
        seed: Seed of the resampling.

    Returns:
        The lower and upper ends, each (k,).

    >>> low, high = mean_intervals(np.array([[0.0], [1.0]] * 50))
    >>> bool(0.3 < low[0] < 0.5 < high[0] < 0.7)
    True
    """
    low, high = (np.full(values.shape[1], np.nan) for _ in range(2))
    gaps = np.isnan(values).any(axis=0)
    varying = np.array([_varies(column) for column in values.T])
    together = [list(np.flatnonzero(varying & ~gaps))]
    for columns in together + [[k] for k in np.flatnonzero(varying & gaps)]:
        if columns:
            chosen = values[:, columns]
            low[columns], high[columns] = _bootstrap(chosen[~np.isnan(chosen).any(axis=1)], seed)
    return low, high


def proportion_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % Wilson interval of the proportion of ones among zeros and ones (Wilson 1927).

    >>> low, high = proportion_interval([1.0] * 10)
    >>> round(low, 3), round(high, 3)
    (0.722, 1.0)
    """
    from scipy.stats import binomtest

    interval = binomtest(round(sum(values)), len(values)).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def clearly_positive(values: Values, seed: int = 0) -> bool:
    """Return whether the lower end of the mean's 95 % bootstrap interval is above 0; never with fewer than `FEWEST`.

    Args:
        values: (samples,), differences paired by sample; NaN marks a missing one.
        seed: Seed of the resampling.

    >>> clearly_positive(np.full(5, 0.2)), clearly_positive(np.full(4, 0.2)), clearly_positive(np.eye(9)[0])
    (True, False, False)
    """
    there = values[~np.isnan(values)]
    return there.size >= FEWEST and bool(_bootstrap(there[:, None], seed)[0][0] > 0)


def column_means(values: Values) -> Values:
    """Return the mean of each column over the rows with a value; NaN if there are none."""
    counts = (~np.isnan(values)).sum(0)
    return np.where(counts > 0, np.nansum(values, axis=0) / np.maximum(counts, 1), np.nan)


def _bootstrap(values: Values, seed: int) -> tuple[Values, Values]:
    from scipy.stats import bootstrap

    result = bootstrap(
        (values,),
        np.mean,
        axis=0,
        n_resamples=RESAMPLES,
        batch=max(1, _CELLS_AT_ONCE // values.size),
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return result.confidence_interval.low, result.confidence_interval.high


def _varies(column: Values) -> bool:
    there = column[~np.isnan(column)]
    return there.size >= FEWEST and bool(np.ptp(there) > 0)
