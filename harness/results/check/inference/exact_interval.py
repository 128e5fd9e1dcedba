"""The exact interval of a proportion (Clopper and Pearson 1934, Biometrika 26), for counts that may be fractions."""

from scipy.special import betaincinv


def exact_interval(total: float, n: int, confidence: float) -> tuple[float, float]:
    """Return the interval of the mean of `n` values between 0 and 1 whose sum is `total`.

    Either end is wrong with at most (1 - confidence) / 2 for zeros and ones. Other values with the same mean vary less.

    >>> [round(end, 4) for end in exact_interval(200, 200, 0.95)]
    [0.9817, 1.0]
    """
    tail = (1 - confidence) / 2
    low = float(betaincinv(total, n - total + 1, tail)) if total > 0 else 0.0
    high = float(betaincinv(total + 1, n - total, 1 - tail)) if total < n else 1.0
    return low, high
