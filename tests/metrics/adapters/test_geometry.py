"""Adapter geometry against the dense product."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.metrics.adapters.geometry import geometry_of, total


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(1, 12), st.integers(1, 12), st.integers(0, 1000))
def test_norms_and_effective_rank_match_the_dense_product(rank: int, m: int, n: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(rank, n, generator=generator, dtype=torch.float64)
    b = torch.randn(m, rank, generator=generator, dtype=torch.float64)
    found = geometry_of(a, b, 0.5)
    values = torch.linalg.svdvals(0.5 * b @ a)
    shares = values / values.sum()
    assert found.norm == pytest.approx(values.norm().item(), rel=1e-9)
    assert found.spectral_norm == pytest.approx(values.max().item(), rel=1e-9)
    entropy = -sum(p * math.log(p) for p in shares.tolist() if p > 1e-300)
    assert found.effective_rank == pytest.approx(math.exp(entropy), rel=1e-5)


def test_a_zero_update_has_zero_norms() -> None:
    found = geometry_of(torch.randn(4, 8), torch.zeros(6, 4), 2.0)
    assert (found.norm, found.spectral_norm, found.effective_rank, found.rank) == (0.0, 0.0, 0.0, 4)


def test_squared_norms_of_modules_add_up() -> None:
    one = geometry_of(torch.eye(2), 3 * torch.eye(2), 1.0)
    whole = total({"a": one, "b": one})
    assert whole.norm == pytest.approx(math.sqrt(2) * one.norm)
    assert whole.spectral_norm == one.spectral_norm
    assert whole.effective_rank == pytest.approx(2.0)
