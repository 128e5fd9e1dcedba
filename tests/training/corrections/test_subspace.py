"""The leading directions of a displacement are nearly as good as a full SVD's, and reproducible."""

import pytest
import torch
from torch import Tensor

from holdfast.errors import UserError
from holdfast.training.corrections.factored.subspace import find_directions


def make_displacement(decay: float, m: int = 900, n: int = 700) -> Tensor:
    """Make a matrix with singular values i^-decay; a decay of 0 gives the flat spectrum of plain noise."""
    generator = torch.Generator().manual_seed(0)
    if decay == 0:
        return torch.randn((m, n), generator=generator)
    u, v = (torch.linalg.qr(torch.randn((size, n), generator=generator)).Q for size in (m, n))
    return (u * torch.arange(1, n + 1) ** -decay) @ v.T


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.5])
@pytest.mark.parametrize("shape", [(900, 700), (700, 900)])
def test_a_given_rank_captures_99_percent_of_the_best_energy(decay: float, shape: tuple[int, int]) -> None:
    d = make_displacement(decay) if shape == (900, 700) else make_displacement(decay).T
    found = find_directions(d, "layer", rank=40)
    best = torch.linalg.svdvals(d)[:40].pow(2).sum()
    held = (found.u.T @ d @ found.v).pow(2).sum()
    assert found.rank == 40
    assert float(held / best) > 0.99
    assert torch.allclose(found.u.T @ found.u, torch.eye(40), atol=1e-5)
    assert torch.allclose(found.v.T @ found.v, torch.eye(40), atol=1e-5)
    assert found.norm == pytest.approx(float(d.norm()))


@pytest.mark.parametrize(("decay", "energy"), [(1.0, 0.9), (0.5, 0.5), (0.0, 0.3), (0.0, 0.95)])
def test_a_given_energy_needs_nearly_the_fewest_directions(decay: float, energy: float) -> None:
    d = make_displacement(decay)
    found = find_directions(d, "layer", energy=energy)
    held = torch.linalg.svdvals(d).double().pow(2).cumsum(0)
    fewest = int((held < energy * held[-1]).sum()) + 1
    assert found.energy >= energy * (1 - 1e-5)
    assert fewest <= found.rank <= fewest * 1.03 + 1


def test_a_low_rank_displacement_is_recovered() -> None:
    u, v = torch.randn(900, 5), torch.randn(700, 5)
    found = find_directions(u @ v.T, "layer", energy=1.0)
    assert found.rank in (5, 6)
    assert torch.allclose((found.u * found.values) @ found.v.T, u @ v.T, atol=1e-3)


@pytest.mark.parametrize("shape", [(30, 20), (900, 700)])
def test_directions_are_reproducible_from_seed_and_name(shape: tuple[int, int]) -> None:
    d = make_displacement(0.5)[: shape[0], : shape[1]].contiguous()
    one, two = (find_directions(d, "layer", rank=10, seed=3) for _ in range(2))
    assert torch.equal(one.u, two.u)
    assert torch.equal(one.v, two.v)
    if shape == (900, 700):
        assert not torch.equal(one.u, find_directions(d, "layer", rank=10, seed=4).u)
        assert not torch.equal(one.u, find_directions(d, "other", rank=10, seed=3).u)


def test_a_rank_beyond_the_matrix_is_capped() -> None:
    assert find_directions(make_displacement(0.5)[:30, :20], "layer", rank=64).rank == 20


def test_a_zero_displacement_has_no_directions() -> None:
    found = find_directions(torch.zeros(30, 20), "layer", rank=4)
    assert (found.rank, found.norm, found.energy) == (0, 0.0, 0.0)
    assert (found.u.shape, found.v.shape) == ((30, 0), (20, 0))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_or_infinite_weights_are_refused(bad: float) -> None:
    d = torch.zeros(30, 20)
    d[3, 4] = bad
    with pytest.raises(UserError, match="'layer': the checkpoints' weights contain NaN or infinity"):
        find_directions(d, "layer", rank=4)
