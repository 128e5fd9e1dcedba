"""Plan a check: what a number of samples can detect, and how many samples a margin takes.

Both are the usual normal approximation of a test at two-sided level `alpha` (Chow, Shao and Wang 2008, chapter 3), with
the standard error of a pilot or of the baseline's run: it falls with the square root of the number of samples.
"""

from math import ceil, sqrt

from scipy.special import ndtri

from holdfast.harness.results.check.inference.differences import FEWEST_CLUSTERS


def detectable(se: float, clusters: int, wanted_clusters: int, alpha: float, power: float) -> float:
    """Return the smallest change that is detected with probability `power`.

    Args:
        se: The standard error observed.
        clusters: The number of samples that it was observed on.
        wanted_clusters: The number of samples planned.
        alpha: The two-sided level.
        power: The probability of detecting the change.

    >>> round(detectable(se=0.02, clusters=100, wanted_clusters=400, alpha=0.05, power=0.8), 3)
    0.028
    """
    return _errors(alpha, power) * se * sqrt(clusters / wanted_clusters)


def samples_needed(se: float, clusters: int, margin_distance: float, alpha: float, power: float) -> int | None:
    """Return how many samples decide, with probability `power`, between a change and a margin `margin_distance` away.

    Returns:
        The total number of samples, or None if no number of them would do, because the distance is 0.

    >>> samples_needed(se=0.02, clusters=100, margin_distance=0.028, alpha=0.05, power=0.8)
    401
    """
    if margin_distance == 0:
        return None
    return max(FEWEST_CLUSTERS, ceil(clusters * (_errors(alpha, power) * se / margin_distance) ** 2))


def _errors(alpha: float, power: float) -> float:
    """Return how many standard errors apart two values must lie to be told apart."""
    return float(ndtri(1 - alpha / 2) + ndtri(power))
