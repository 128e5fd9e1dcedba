"""Score intervals for the mean of bounded values: Wilson's and Tango's, for any values between two bounds.

A value of the mean is in the interval unless the score test rejects it: unless the observed mean is more than
`quantile` standard errors away, with the standard error that the data would have if that value were true. The
distribution under that hypothesis is the most likely one with that mean (the empirical likelihood of Owen 1988), which
may put weight on the bounds even if they were never observed. This keeps the interval honest where little varies: 50
equal values do not prove that the next one is equal too.

For values of 0 and 1 with bounds 0 and 1 it is Wilson's interval (1927); for values of -1, 0 and 1 with bounds -1 and 1
it is Tango's interval for paired proportions (1998, Statistics in Medicine 17, 891-908).
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from holdfast.harness.results.statistics import Values

_TILTS = (-40.0, 60.0)
"""Logarithms between which the tilt is looked for: from none at all to all weight on the bound."""


def score_interval(values: Values, counts: Values, low: float, high: float, quantile: float) -> tuple[float, float]:
    """Return the score interval of the mean of values between `low` and `high`.

    Args:
        values: (k,), the distinct values, all between the bounds.
        counts: (k,), how often each was observed, at least once.
        low: The lowest value possible.
        high: The highest value possible, above `low`.
        quantile: How many standard errors the ends may lie from the observed mean.

    >>> [round(end, 4) for end in score_interval(np.array([0.0]), np.array([50.0]), 0, 1, 1.96)]
    [0.0, 0.0714]
    """
    width = high - low
    lower = _lower_end(np.clip((values - low) / width, 0, 1), counts, quantile**2)
    upper = _lower_end(np.clip((high - values) / width, 0, 1), counts, quantile**2)
    return low + width * lower, high - width * upper


def _lower_end(values: Values, counts: Values, limit: float) -> float:
    """Return the lowest mean that the score test does not reject, for values between 0 and 1.

    The most likely distribution with a mean t below the observed mean m gives a value x the weight 1 / (1 + k x), up to
    a factor; t falls as the tilt k grows. For t below the harmonic mean, the weights are t / (n x), and the rest lies
    on 0; its variance is t m - t^2, so that n (m - t)^2 = limit * (t m - t^2) at t = n m / (n + limit).
    """
    n = float(counts.sum())
    mean = float(counts @ values) / n
    at_bound = n * mean / (n + limit)
    if at_bound <= _harmonic_mean(values, counts) * (1 + 1e-9):
        return at_bound
    excess = _excess(values, counts, mean, limit)
    tilt = np.exp(brentq(excess, *_TILTS, xtol=1e-10))
    weights = counts / (1 + tilt * values)
    return float(weights @ values / weights.sum())


def _harmonic_mean(values: Values, counts: Values) -> float:
    return 0.0 if (values <= 0).any() else float(counts.sum() / (counts / values).sum())


def _excess(values: Values, counts: Values, mean: float, limit: float) -> Callable[[float], float]:
    """Return log(score / limit) as a function of the logarithm of the tilt, nearly linear where the root lies."""
    n, tiny = float(counts.sum()), np.finfo(float).tiny

    def excess(log_tilt: float) -> float:
        weights = counts / (1 + np.exp(log_tilt) * values)
        weights /= weights.sum()
        tilted = float(weights @ values)
        variance = float(weights @ (values - tilted) ** 2)
        return float(np.log(max(n * (mean - tilted) ** 2, tiny)) - np.log(max(limit * variance, tiny)))

    return excess
