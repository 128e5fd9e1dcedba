"""Estimate how far new values differ from old ones, or the mean of one group, with a confidence interval."""

from dataclasses import dataclass, field
from math import nan, sqrt

import numpy as np
from scipy.special import ndtri, stdtrit

from holdfast.harness.results.check.inference.cluster_means import Clusters, cluster_means
from holdfast.harness.results.check.inference.exact_interval import exact_interval
from holdfast.harness.results.check.inference.score_interval import score_interval
from holdfast.harness.results.statistics import Values

CLUSTERED, TANGO, EXACT = "clustered score", "Tango score", "Clopper-Pearson"
FEWEST_CLUSTERS = 10
"""Number of samples from which there is an interval."""
_NORMAL_FROM = 50
"""Number of samples from which normal quantiles are wide enough; below, Student's are used."""
_ENOUGH_CHANGED = 8
"""Number of changed samples that tell how large changes may be; with fewer, whatever the metric permits is possible."""

_WALD = 1 / 4
"""The weight of Wald's ends in the interval of one mean.

Skewness moves the two intervals' one-sided errors in opposite directions, in proportion to 1 - z^2 (score) and to
1 + 2 z^2 (Wald; the Edgeworth expansions of Hall 1982 and Cai 2005): 3 to 1, they cancel at z = 2.
"""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Old and new values of the same questions, one row per (task, sample, perturbation, severity, repeat).

    Raises:
        ValueError: If the lengths differ, or a value is not finite.
    """

    old: Values
    """(n,)"""
    new: Values
    """(n,)"""
    clusters: Clusters
    """(n,): the sample that each row belongs to, as a number."""

    def __post_init__(self) -> None:
        if not len(self.old) == len(self.new) == len(self.clusters):
            raise ValueError(f"got {len(self.old)} old and {len(self.new)} new values of {len(self.clusters)} clusters")
        if not (np.isfinite(self.old).all() and np.isfinite(self.new).all()):
            raise ValueError("pairs must not contain NaN or infinity")


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A mean over samples (clusters), each with equal weight however many rows it has."""

    value: float
    """NaN if there are no rows."""
    n: int
    """Number of rows."""
    clusters: int
    """Number of samples."""
    method: str
    """The name of the interval, for people."""
    problem: str
    """Why there is no interval; empty if there is one."""
    se: float
    """The standard error, for planning; NaN if there is no interval."""
    _one_group: bool = field(repr=False)
    _values: Values = field(repr=False)
    _counts: Values = field(repr=False)
    _bounds: tuple[float, float] = field(repr=False)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided confidence interval; both ends are NaN if there is a problem."""
        if self.problem:
            return nan, nan
        if self.method == EXACT:
            return exact_interval(float(self._counts @ self._values), self.clusters, confidence)
        tail = (1 + confidence) / 2
        quantile = float(ndtri(tail))
        if self.clusters < _NORMAL_FROM and self.method == CLUSTERED:
            quantile = float(stdtrit(self.clusters - 1, tail)) * sqrt(self.clusters / (self.clusters - 1))
        low, high = score_interval(self._values, self._counts, *self._bounds, quantile)
        if self._one_group:
            reach = quantile * sqrt(float(self._counts @ (self._values - self.value) ** 2)) / self.clusters
            low += _WALD * (max(self.value - reach, self._bounds[0]) - low)
            high += _WALD * (min(self.value + reach, self._bounds[1]) - high)
        return low, high


def difference(pairs: Pairs) -> Estimate:
    """Estimate the mean of new - old, with each sample (cluster) weighing the same.

    Changes of -1, 0 and 1 get Tango's score interval for paired proportions (1998), all others its generalisation
    (score_interval.py) to the mean changes of samples. The largest change observed, in either direction, counts as
    possible in both. If fewer than 8 samples changed, or all by the same amount, so does the largest change that the
    metric permits: if all values lie between 0 and 1, this is 1; otherwise it is unknown, and there is no interval.

    >>> ones, zeros = np.ones(200), np.zeros(200)
    >>> [round(end, 4) for end in difference(Pairs(ones, ones, np.arange(200))).interval(0.95)]
    [-0.0188, 0.0188]
    >>> difference(Pairs(ones[:6], zeros[:6], np.arange(6))).problem
    '6 independent samples, fewer than 10'
    """
    changes = cluster_means(pairs.new - pairs.old, pairs.clusters)
    method = TANGO if np.isin(changes, (-1, 0, 1)).all() else CLUSTERED
    limits = (-1.0, 1.0) if _is_share(pairs.old) and _is_share(pairs.new) else None
    return _estimate(changes, len(pairs.old), method, few=method, middle=0.0, one_group=False, limits=limits)


def mean(values: Values, clusters: Clusters) -> Estimate:
    """Estimate the mean of one group's values, with each sample (cluster) weighing the same.

    Zeros and ones get the exact interval (Clopper and Pearson 1934), and so do shares of which fewer than 8 differ from
    the median. All others get a score interval (score_interval.py) of the means of samples, for which values up to
    twice as far from the median as the farthest one count as possible; each end is moved a quarter of the way to that
    of Wald's interval, the mean plus or minus the quantile times the standard error.

    >>> [round(end, 4) for end in mean(np.zeros(200), np.arange(200)).interval(0.95)]
    [0.0, 0.0183]
    """
    means = cluster_means(values, clusters)
    middle = float(np.median(means)) if len(means) else nan
    method = EXACT if np.isin(means, (0, 1)).all() else CLUSTERED
    limits = (0.0, 1.0) if _is_share(values) else None
    return _estimate(means, len(values), method, few=EXACT, middle=middle, one_group=True, limits=limits)


def _is_share(values: Values) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _estimate(
    values: Values, n: int, method: str, *, few: str, middle: float, one_group: bool, limits: tuple[float, float] | None
) -> Estimate:
    """Estimate the mean of one value per cluster.

    Args:
        values: (clusters,).
        n: Number of rows behind them.
        method: The name of the interval.
        few: The name of the interval if few values differ.
        middle: The value from which others are said to differ.
        one_group: Whether these are values of one group, not changes; such values may lie twice as far from the middle
            as the farthest one.
        limits: What the metric permits, or None if it has no bounds.
    """
    count = len(values)
    distances = np.abs(values - middle)
    differing = int((distances > 0).sum())
    problem, bounds, spread = "", (nan, nan), nan
    if count < FEWEST_CLUSTERS:
        problem = f"{count} independent samples, fewer than {FEWEST_CLUSTERS}" if count else "no samples"
    elif differing >= _ENOUGH_CHANGED and np.ptp(values) > 0:
        reach = (2 if one_group else 1) * float(distances.max())
        bounds = (middle - reach, middle + reach)
        if limits:
            bounds = (max(bounds[0], limits[0]), min(bounds[1], limits[1]))
        spread = float(values.var(ddof=1))
    elif limits:
        method, bounds = few, limits
        # As if one more had differed as far as possible: "no spread" would promise certainty.
        spread = float(values.var()) + max(middle - limits[0], limits[1] - middle) ** 2 / count
    elif np.ptp(values) == 0:
        problem = "no variation between samples"
    else:
        problem = f"{differing} of {count} samples differ, too few for a metric without bounds"
    distinct, counts = np.unique(values, return_counts=True)
    return Estimate(
        value=float(values.mean()) if count else nan,
        n=n,
        clusters=count,
        method=method,
        problem=problem,
        se=sqrt(spread / count) if count else nan,
        _one_group=one_group,
        _values=distinct,
        _counts=counts.astype(np.float64),
        _bounds=bounds,
    )
