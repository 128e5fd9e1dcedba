"""SafeLoRA and the controls equal their dense forms, and are comparable with CSULoRA."""

import pytest
import torch
from torch import Tensor

from holdfast.training.corrections import (
    Directions,
    Factors,
    csulora,
    project,
    random_subspace,
    safelora,
    shrink,
)
from tests.training.corrections.made import dense_parts, dense_safelora, make_directions, make_update

ADAPTER = {f"layers.{i}": make_update(seed=i) for i in range(4)}
SUBSPACE = {f"layers.{i}": make_directions(seed=10 + i) for i in range(4)}


@pytest.mark.parametrize("strength", [0.0, 1.0, 8.0])
def test_shrink_moves_as_far_as_csulora_without_rotating(strength: float) -> None:
    moved, shrunk = (each(ADAPTER, SUBSPACE, strength=strength) for each in (csulora, shrink))
    for name, update in ADAPTER.items():
        assert shrunk[name].distance == pytest.approx(moved[name].distance, abs=1e-9)
        share = 1 - moved[name].relative_distance
        assert torch.allclose(shrunk[name].factors.dense(), share * update.dense())
        assert shrunk[name].factors.rank == update.rank


def test_project_keeps_only_the_aligned_part() -> None:
    for name, one in project(ADAPTER, SUBSPACE).items():
        assert torch.allclose(one.factors.dense(), dense_parts(ADAPTER[name], SUBSPACE[name])[0])
        assert one.recompression_error < 1e-12


def test_random_directions_depend_on_the_seed_alone() -> None:
    one, two = (random_subspace(ADAPTER, SUBSPACE, strength=2.0, seed=3) for _ in range(2))
    other = random_subspace(ADAPTER, SUBSPACE, strength=2.0, seed=4)
    assert all(torch.equal(one[name].factors.a, two[name].factors.a) for name in ADAPTER)
    assert not any(torch.allclose(one[name].factors.dense(), other[name].factors.dense()) for name in ADAPTER)
    assert all(one[name].energies.aligned > 0 for name in ADAPTER)


def displacements() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    return {name: torch.randn((12, 9), generator=generator, dtype=torch.float64) for name in ADAPTER}


def test_safelora_equals_the_published_dense_form() -> None:
    d = displacements()
    found = safelora(ADAPTER, d, SUBSPACE, threshold=1.0)
    for name, update in ADAPTER.items():
        expected, cosine = dense_safelora(update, d[name])
        assert torch.allclose(found[name].factors.dense(), expected)
        assert found[name].cosine == pytest.approx(cosine)
        assert found[name].distance == pytest.approx(float((expected - update.dense()).norm()))
        assert torch.equal(found[name].factors.a, update.a)


def test_safelora_replaces_modules_by_threshold_or_number() -> None:
    d = displacements()
    cosines = {name: dense_safelora(update, d[name])[1] for name, update in ADAPTER.items()}
    ordered = sorted(cosines, key=lambda name: cosines[name])
    for options in ({"threshold": cosines[ordered[1]] + 1e-9}, {"number": 2}):
        found = safelora(ADAPTER, d, SUBSPACE, **options)
        replaced = {name for name, each in found.items() if each.factors is not ADAPTER[name]}
        assert replaced == set(ordered[:2])
    assert all(each.factors is ADAPTER[name] for name, each in safelora(ADAPTER, d, SUBSPACE, number=0).items())


def test_safelora_keeps_modules_unchanged_by_alignment() -> None:
    unmoved = Directions(torch.zeros(12, 0), torch.zeros(0), torch.zeros(9, 0), 0.0)
    update = Factors(torch.randn(2, 9), torch.randn(12, 2))
    found = safelora({"x": update}, {}, {"x": unmoved}, threshold=0.99)
    assert found["x"].factors is update
