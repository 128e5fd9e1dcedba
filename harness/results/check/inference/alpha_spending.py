"""Look at the data more than once without raising the rate of false alarms, by spending alpha over the looks."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from holdfast.harness.results.statistics import Values

LOOKS = (0.25, 0.5, 0.75, 1.0)
"""The shares of the samples after which a sequential check looks."""
_NODES, _REACH = 200, 9.0


def look_confidences(alpha: float, fractions: Sequence[float] = LOOKS) -> list[float]:
    """Return the confidence of each look's interval, so that all of them cover together with 1 - alpha.

    These are repeated confidence intervals (Jennison and Turnbull 1989, J. R. Statist. Soc. B 51) with the boundaries
    that spend alpha as Lan and DeMets (1983, Biometrika 70) propose, of the O'Brien-Fleming type: after a share t of
    the samples, each side may have spent 2 - 2 Phi(z / sqrt(t)), where z is the normal quantile at 1 - alpha / 4; at
    the end, this is alpha / 2.

    Args:
        alpha: The two-sided level of all looks together.
        fractions: The shares of the samples after which there is a look, rising to 1.

    >>> [round(confidence, 4) for confidence in look_confidences(0.05)]
    [1.0, 0.997, 0.9817, 0.956]
    """
    return [2 * float(ndtr(boundary)) - 1 for boundary in look_boundaries(alpha, fractions)]


def look_boundaries(alpha: float, fractions: Sequence[float] = LOOKS) -> list[float]:
    """Return how many standard errors from the hypothesis each look rejects; arguments as for `look_confidences`.

    The chance to come as far as a look without a rejection is integrated over the value of the score process there,
    look by look (Armitage, McPherson and Rowe 1969, J. R. Statist. Soc. A 132).

    >>> [round(boundary, 3) for boundary in look_boundaries(0.05)]
    [4.333, 2.963, 2.359, 2.014]
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    places, chances, before = np.zeros(1), np.ones(1), 0.0
    boundaries: list[float] = []
    for fraction in fractions:
        step = sqrt(fraction - before)
        unspent = 1 - 4 * float(ndtr(ndtri(alpha / 4) / sqrt(fraction)))

        def excess(end: float, places: Values = places, chances: Values = chances, step: float = step) -> float:
            return float(chances @ (ndtr((end - places) / step) - ndtr((-end - places) / step)))

        end = float(brentq(lambda end, left=unspent: excess(end) - left, 0, _REACH * sqrt(fraction), xtol=1e-10))
        boundaries.append(end / sqrt(fraction))
        reached = end * nodes
        steps = (reached[:, None] - places) / step
        density = np.exp(-(steps**2) / 2) / (sqrt(2 * np.pi) * step)
        places, chances, before = reached, (density @ chances) * end * weights, fraction
    return boundaries
