"""Sharpness on losses with known curvature."""

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from holdfast.errors import UserError
from holdfast.metrics.adapters.sharpness import expected_sharpness, largest_eigenvalue, row_normalised, surface

WEIGHTS = {"w": torch.tensor([[3.0, 4.0], [0.6, 0.8], [1.0, 0.0]])}
NORMS = {"w": WEIGHTS["w"].norm(dim=1)}


def quadratic(curvature: Tensor) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """Return the loss 1/2 sum_ij h_ij w_ij^2."""
    return lambda replaced: (curvature * replaced.get("w", WEIGHTS["w"]) ** 2).sum() / 2


def test_direction_rows_have_the_norms_of_the_weights() -> None:
    [direction] = row_normalised(WEIGHTS, NORMS, 0).values()
    assert torch.allclose(direction.norm(dim=1), NORMS["w"])
    assert not torch.equal(direction, row_normalised(WEIGHTS, NORMS, 1)["w"])


def test_sharpness_of_a_quadratic_matches_its_curvature() -> None:
    """The linear term averages out; a row of length l contributes sigma^2 l^2 / 2 at curvature 1."""
    found = expected_sharpness(quadratic(torch.ones(3, 2)), WEIGHTS, NORMS, (0.0, 0.5), draws=4000)
    assert found[0].rise == 0.0
    assert abs(found[1].rise - 0.125 * float(NORMS["w"].pow(2).sum())) < 4 * found[1].error


def test_a_sharper_loss_rises_more() -> None:
    flat, sharp = (
        expected_sharpness(quadratic(torch.full((3, 2), h)), WEIGHTS, NORMS, (0.1,), draws=16)[0].rise for h in (1, 9)
    )
    assert sharp == pytest.approx(9 * flat, rel=1e-4)


@pytest.mark.parametrize(("one", "largest"), [(7.0, 7.0), (-7.0, 3.0), (-300.0, 3.0)])
def test_the_largest_eigenvalue_ignores_negative_ones(one: float, largest: float) -> None:
    curvature = torch.tensor([[1.0, 2.0], [one, 0.5], [3.0, 1.0]])
    assert largest_eigenvalue(quadratic(curvature), WEIGHTS, tolerance=1e-4) == pytest.approx(largest, rel=1e-3)


@pytest.mark.parametrize("curvature", [torch.zeros(3, 2), torch.full((3, 2), -2.0)])
def test_flat_or_concave_losses_have_no_positive_eigenvalue(curvature: Tensor) -> None:
    assert largest_eigenvalue(quadratic(curvature), WEIGHTS) == pytest.approx(float(curvature.max()), abs=1e-6)


@pytest.mark.parametrize("scale", [float("nan"), 1e30])
def test_a_curvature_that_is_not_finite_is_refused(scale: float) -> None:
    with pytest.raises(UserError, match="the curvature of the loss is not a finite number"):
        largest_eigenvalue(lambda given: scale * given["w"].pow(8).sum(), {"w": torch.full((3, 3), 1e4)})


def test_the_largest_eigenvalue_matches_dense_decomposition() -> None:
    generator = torch.Generator().manual_seed(0)
    half = torch.randn(60, 60, generator=generator)
    hessian = half + half.T - 8 * torch.outer(half[0], half[0])
    weights = {"w": torch.randn(6, 10, generator=generator)}

    def loss(replaced: Mapping[str, Tensor]) -> Tensor:
        flat = replaced.get("w", weights["w"]).flatten()
        return flat @ hessian @ flat / 2

    values = torch.linalg.eigvalsh(hessian)
    assert -values[0] > 5 * values[-1]
    assert largest_eigenvalue(loss, weights) == pytest.approx(float(values[-1]), rel=1e-2)


def test_the_surface_is_centred_on_the_current_loss() -> None:
    loss = quadratic(torch.ones(3, 2))
    directions = [row_normalised(WEIGHTS, NORMS, seed) for seed in (0, 1)]
    line = dict(surface(loss, WEIGHTS, directions[:1], reach=0.5, points=5))
    assert list(line) == [(-0.5,), (-0.25,), (0.0,), (0.25,), (0.5,)]
    plane = dict(surface(loss, WEIGHTS, directions, reach=0.5, points=3))
    assert len(plane) == 9
    assert plane[0.0, 0.0] == pytest.approx(line[(0.0,)]) == pytest.approx(float(loss({})))
    assert plane[0.5, 0.0] == pytest.approx(line[(0.5,)])


def test_weights_are_not_modified() -> None:
    before = WEIGHTS["w"].clone()
    expected_sharpness(quadratic(torch.ones(3, 2)), WEIGHTS, NORMS, (0.1,), draws=1)
    largest_eigenvalue(quadratic(torch.ones(3, 2)), WEIGHTS)
    assert torch.equal(WEIGHTS["w"], before)
    assert not WEIGHTS["w"].requires_grad
