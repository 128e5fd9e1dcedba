"""Intervals: Wilson for proportions, the bootstrap over samples for means; scipy and statsmodels do the work."""

from collections.abc import Sequence
from typing import Any

import numpy as np

LEVEL = 0.95
RESAMPLES = 1000
_CELLS_AT_ONCE = 4_000_000

Values = np.ndarray[Any, np.dtype[np.float64]]


def mean_intervals(values: Values, seed: int = 0) -> tuple[Values, Values]:
    """95 % intervals of the column means of `values` (samples, k), each (k,): percentile bootstrap over the rows.

    All columns of a sample are resampled together (Efron and Tibshirani 1993, chapter 13). NaN marks a value that a
    sample does not have: the column's mean is then over those that have it. One row or a constant column gives an
    interval of width zero.

    >>> low, high = mean_intervals(np.array([[0.0], [1.0]] * 50))
    >>> bool(0.3 < low[0] < 0.5 < high[0] < 0.7)
    True
    """
    from scipy.stats import bootstrap

    low, high = _column_means(values), _column_means(values)
    varying = [k for k in range(values.shape[1]) if _varies(values[:, k])]
    if not varying:
        return low, high
    gaps = bool(np.isnan(values[:, varying]).any())
    result = bootstrap(
        (values[:, varying],),
        np.nanmean if gaps else np.mean,
        axis=0,
        n_resamples=RESAMPLES,
        batch=max(1, _CELLS_AT_ONCE // (values.shape[0] * len(varying))),
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low[varying], high[varying] = result.confidence_interval
    return low, high


def proportion_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % Wilson interval of a share of zeros and ones (Wilson 1927).

    >>> low, high = proportion_interval([1.0] * 10)
    >>> round(low, 3), round(high, 3)
    (0.722, 1.0)
    """
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(sum(values), len(values), alpha=1 - LEVEL, method="wilson")
    return float(low), float(high)


def _varies(column: Values) -> bool:
    there = column[~np.isnan(column)]
    return there.size > 1 and bool(np.ptp(there) > 0)


def _column_means(values: Values) -> Values:
    counts = (~np.isnan(values)).sum(0)
    return np.where(counts > 0, np.nansum(values, axis=0) / np.maximum(counts, 1), np.nan)
