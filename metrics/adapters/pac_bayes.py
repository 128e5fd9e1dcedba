"""PAC-Bayes: what an adapter's distance from where it started says of its risk on prompts nobody asked yet."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """The best bound over a grid of noise scales: at `sigma`, a measured risk `risk` over weight noise, the complexity
    `kl`, and the bound that holds with probability 1 - delta over the samples and the draws."""

    sigma: float
    risk: float
    kl: float
    bound: float


def complexity(squared_distance: float, sigma: float) -> float:
    """KL(N(theta, sigma^2) || N(theta_0, sigma^2)) = ||theta - theta_0||^2 / (2 sigma^2).

    `squared_distance` is ||B||^2 + ||A - A_0||^2, the adapter's from its initial point, which no data chose (METHODS
    2); ||B||^2 + ||A||^2, its distance from zero, where that point is not known.
    """
    return squared_distance / (2 * sigma**2)


def maurer_bound(risk: float, kl: float, samples: int, delta: float = 0.05) -> float:
    """R <= R_hat + sqrt((KL + ln(2 sqrt(N) / delta)) / (2 N)), with probability 1 - delta, for a risk in [0, 1]
    measured on N samples under the posterior (Maurer 2004)."""
    return min(1.0, risk + math.sqrt((kl + math.log(2 * math.sqrt(samples) / delta)) / (2 * samples)))


def monte_carlo_bound(risks: Sequence[float], delta: float) -> float:
    """An upper bound on a mean of values in [0, 1] from draws of it, with probability 1 - delta (Hoeffding 1963)."""
    return min(1.0, sum(risks) / len(risks) + math.sqrt(math.log(1 / delta) / (2 * len(risks))))


def best_bound(
    risks_at: Callable[[float], Sequence[float]],
    squared_distance: float,
    samples: int,
    sigmas: Sequence[float],
    delta: float = 0.05,
) -> Bound:
    """Maurer's bound at the best of several noise scales.

    `risks_at(sigma)` draws weights around the adapter and returns each draw's mean risk, in [0, 1], on the `samples`.
    The risk under the posterior is known by these draws alone, so half of delta goes to their own confidence term, the
    other half to the bound; both are shared out over the grid, as the best scale is chosen after looking.
    """
    share = delta / (2 * len(sigmas))
    found = []
    for sigma in sigmas:
        risks = risks_at(sigma)
        kl = complexity(squared_distance, sigma)
        bound = maurer_bound(monte_carlo_bound(risks, share), kl, samples, share)
        found.append(Bound(sigma, sum(risks) / len(risks), kl, bound))
    return min(found, key=lambda each: (each.bound, each.kl))
