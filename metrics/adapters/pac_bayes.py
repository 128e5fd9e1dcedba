"""PAC-Bayes bounds on an adapter's risk on unseen prompts, from its distance to its initialisation."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """The best bound over a grid of noise scales.

    Attributes:
        sigma: The noise scale at which the bound is lowest.
        risk: The measured mean risk under weight noise of that scale.
        kl: The complexity term.
        bound: The bound on the risk; holds with probability 1 - delta over the samples and the draws of noise.
    """

    sigma: float
    risk: float
    kl: float
    bound: float


def complexity(squared_distance: float, sigma: float) -> float:
    """Return KL(N(theta, sigma^2) || N(theta_0, sigma^2)) = ||theta - theta_0||^2 / (2 sigma^2).

    Args:
        squared_distance: ||B||^2 + ||A - A_0||^2, the adapter's squared distance from its data-independent
            initialisation; ||B||^2 + ||A||^2, its squared distance from zero, if A_0 is unknown.
        sigma: The noise scale.
    """
    return squared_distance / (2 * sigma**2)


def maurer_bound(risk: float, kl: float, samples: int, delta: float = 0.05) -> float:
    """Return R_hat + sqrt((KL + ln(2 sqrt(N) / delta)) / (2 N)), at most 1 (Maurer 2004).

    The true risk lies below it with probability 1 - delta.

    Args:
        risk: The risk R_hat in [0, 1], measured on N samples under the posterior.
        kl: The complexity (see `complexity`).
        samples: The number of samples N.
        delta: The probability that the bound fails.
    """
    return min(1.0, risk + math.sqrt((kl + math.log(2 * math.sqrt(samples) / delta)) / (2 * samples)))


def monte_carlo_bound(risks: Sequence[float], delta: float) -> float:
    """Return an upper bound on the mean of a variable in [0, 1], given draws of it (Hoeffding 1963).

    It holds with probability 1 - delta.
    """
    return min(1.0, sum(risks) / len(risks) + math.sqrt(math.log(1 / delta) / (2 * len(risks))))


def best_bound(
    risks_at: Callable[[float], Sequence[float]],
    squared_distance: float,
    samples: int,
    sigmas: Sequence[float],
    delta: float = 0.05,
) -> Bound:
    """Return Maurer's bound at the best of several noise scales.

    The risk under the posterior is only estimated from draws, so half of delta goes to the confidence term of that
    estimate and half to the bound. Both halves are split evenly over the grid (a union bound), since the best scale is
    chosen after seeing the results.

    Args:
        risks_at: Draws weights around the adapter at a noise scale; returns each draw's mean risk on the samples, in
            [0, 1].
        squared_distance: The adapter's squared distance from its initialisation (see `complexity`).
        samples: The number of samples.
        sigmas: The noise scales to try.
        delta: The probability that the bound fails.
    """
    share = delta / (2 * len(sigmas))
    found = []
    for sigma in sigmas:
        risks = risks_at(sigma)
        kl = complexity(squared_distance, sigma)
        bound = maurer_bound(monte_carlo_bound(risks, share), kl, samples, share)
        found.append(Bound(sigma, sum(risks) / len(risks), kl, bound))
    return min(found, key=lambda each: (each.bound, each.kl))
