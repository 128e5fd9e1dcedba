"""A rate that a judge measured, corrected for the judge's errors."""

from dataclasses import dataclass
from math import nan, sqrt

from scipy.special import ndtri


@dataclass(frozen=True, slots=True)
class Corrected:
    """A corrected rate with its confidence interval; NaN if the judge tells nothing apart."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class JudgeErrors:
    """How often a judge was right about answers with a known label.

    Attributes:
        positives: Number of answers whose label is positive.
        found: Number of those that the judge calls positive.
        negatives: Number of answers whose label is negative.
        cleared: Number of those that the judge calls negative.
    """

    positives: int
    found: int
    negatives: int
    cleared: int

    @property
    def sensitivity(self) -> float:
        """Share of the positive answers that the judge finds; NaN without any."""
        return self.found / self.positives if self.positives else nan

    @property
    def specificity(self) -> float:
        """Share of the negative answers that the judge clears; NaN without any."""
        return self.cleared / self.negatives if self.negatives else nan


def corrected_rate(observed: float, n: int, errors: JudgeErrors, confidence: float = 0.95) -> Corrected:
    """Correct a rate for the errors of the judge that measured it.

    The estimate is that of Rogan and Gladen (1978, American Journal of Epidemiology 107), (p + specificity - 1) /
    (sensitivity + specificity - 1), cut to 0 and 1. The interval is that of Lang and Reiczigel (2014, Preventive
    Veterinary Medicine 113), which counts the uncertainty of all three shares.

    Args:
        observed: The share of answers that the judge calls positive.
        n: Number of those answers, independent of each other.
        errors: What is known of the judge, from other answers or the same.
        confidence: The two-sided confidence.

    >>> corrected_rate(0.3, 200, JudgeErrors(positives=50, found=45, negatives=50, cleared=40)).rate
    0.14285714285714285
    """
    power = errors.sensitivity + errors.specificity - 1
    if not n or not power > 0:
        return Corrected(nan, nan, nan)
    z = float(ndtri((1 + confidence) / 2))
    count = n + z**2
    share = (n * observed + z**2 / 2) / count
    finds = (errors.found + 1) / (errors.positives + 2)
    clears = (errors.cleared + 1) / (errors.negatives + 2)
    width = finds + clears - 1
    middle = (share + clears - 1) / width
    of_finds = finds * (1 - finds) / (errors.positives + 2)
    of_clears = clears * (1 - clears) / (errors.negatives + 2)
    reach = z * sqrt(share * (1 - share) / count + middle**2 * of_finds + (1 - middle) ** 2 * of_clears) / width
    shift = 2 * z**2 * (middle * of_finds - (1 - middle) * of_clears)
    low, high = (min(1.0, max(0.0, end)) for end in (middle + shift - reach, middle + shift + reach))
    return Corrected(min(1.0, max(0.0, (observed + errors.specificity - 1) / power)), low, high)
