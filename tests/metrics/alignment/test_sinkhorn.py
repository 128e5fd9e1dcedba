"""Entropic transport against POT, the exact plan in the limit, and finite differences."""

import numpy as np
import ot
import pytest
import torch

from holdfast.metrics.alignment import transport_plan
from holdfast.metrics.alignment.sinkhorn import sinkhorn


def problem(m: int, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    cost = torch.rand(1, m, n, generator=generator, dtype=torch.float64)
    a, b = (torch.rand(1, size, generator=generator, dtype=torch.float64) + 0.1 for size in (m, n))
    return cost, a / a.sum(), b / b.sum()


def entropic_value(cost: torch.Tensor, plan: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Return the objective sum_ij P_ij C_ij - epsilon H(P); its gradient with respect to the cost is the plan."""
    return (plan * cost).sum() + epsilon * (plan * plan.clamp(min=1e-38).log() - plan).sum()


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_matches_pot(seed: int) -> None:
    cost, a, b = problem(4, 6, seed)
    ours = sinkhorn(cost, a, b, epsilon=0.2, iterations=2000)[0]
    reg = 0.2 * cost.median().item()
    theirs = ot.sinkhorn(a[0].numpy(), b[0].numpy(), cost[0].numpy(), reg, method="sinkhorn_log", numItermax=5000)
    assert np.abs(ours.numpy() - theirs).max() < 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_marginals_hold_within_1e_6(seed: int) -> None:
    cost, a, b = problem(5, 3, seed)
    plan = sinkhorn(cost, a, b, epsilon=0.1, iterations=500)
    assert (plan.sum(2) - a).abs().max() < 1e-6
    assert (plan.sum(1) - b).abs().max() < 1e-6


def test_small_epsilon_approaches_the_exact_cost() -> None:
    cost, a, b = problem(5, 5, 1)
    exact = (transport_plan(cost[0].numpy(), a[0].numpy(), b[0].numpy()) * cost[0].numpy()).sum()
    entropic = (sinkhorn(cost, a, b, epsilon=0.005, iterations=5000) * cost).sum().item()
    assert entropic == pytest.approx(exact, rel=0.01)


def test_padding_does_not_change_the_plan() -> None:
    cost, a, b = problem(3, 4, 2)
    padded = torch.ones(1, 5, 6, dtype=torch.float64) * 7
    padded[:, :3, :4] = cost
    padded.requires_grad_()
    wide = sinkhorn(padded, torch.nn.functional.pad(a, (0, 2)), torch.nn.functional.pad(b, (0, 2)))
    (wide * padded).sum().backward()
    assert torch.isfinite(padded.grad).all()
    assert torch.allclose(wide[:, :3, :4], sinkhorn(cost, a, b), atol=1e-9)
    assert wide[:, 3:].abs().sum() == wide[:, :, 4:].abs().sum() == 0


def test_zero_costs_give_finite_gradients() -> None:
    cost = torch.zeros(1, 3, 3, dtype=torch.float64, requires_grad=True)
    mass = torch.full((1, 3), 1 / 3, dtype=torch.float64)
    value = (sinkhorn(cost, mass, mass) * cost).sum()
    value.backward()
    assert value.item() == 0
    assert torch.isfinite(cost.grad).all()


def test_the_gradient_of_the_objective_is_the_plan() -> None:
    cost, a, b = problem(3, 3, 3)
    scale = cost.median().item()

    def value(c: torch.Tensor) -> float:
        plan = sinkhorn(c, a, b, epsilon=0.3 * scale / c.median().item(), iterations=3000)
        return entropic_value(c, plan, epsilon=0.3 * scale).item()

    plan = sinkhorn(cost, a, b, epsilon=0.3, iterations=3000)
    for i in range(3):
        for j in range(3):
            moved = [cost.clone(), cost.clone()]
            moved[0][0, i, j] += 1e-5
            moved[1][0, i, j] -= 1e-5
            slope = (value(moved[0]) - value(moved[1])) / 2e-5
            assert slope == pytest.approx(plan[0, i, j].item(), abs=1e-5)
