"""CSULoRA on low-rank factors equals the dense form, is optimal and reports its changes correctly."""

import doctest
import importlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import UserError
from holdfast.training.corrections import Directions, Factors, csulora
from tests.training.corrections.made import dense_csulora, dense_parts, make_directions, make_update

NAME = "model.layers.0.q_proj"


def correct(update: Factors, found: Directions, **options: object):
    return csulora({NAME: update}, {NAME: found}, **options)[NAME]  # type: ignore[arg-type]


@pytest.mark.parametrize("module", ["csulora", "factored.factors"])
def test_doctests_pass(module: str) -> None:
    assert doctest.testmod(importlib.import_module(f"holdfast.training.corrections.{module}")).failed == 0


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(2, 40),
    n=st.integers(2, 40),
    r=st.integers(1, 8),
    k=st.integers(1, 20),
    strength=st.floats(0, 100),
    seed=st.integers(0, 999),
)
def test_the_fast_form_equals_the_dense_one(m: int, n: int, r: int, k: int, strength: float, seed: int) -> None:
    update, found = make_update(m, n, r, seed=seed), make_directions(m, n, min(k, m, n), seed=seed + 1)
    one = correct(update, found, strength=strength, rank="exact")
    expected = dense_csulora(update, found, strength)
    assert float((one.factors.dense() - expected).norm()) <= 1e-10 * float(update.dense().norm())
    assert one.factors.rank <= 2 * r
    parts = dense_parts(update, found)
    assert one.energies == pytest.approx([float(part.norm() ** 2) for part in parts], rel=1e-9, abs=1e-12)
    assert sum(one.energies) == pytest.approx(float(update.dense().norm() ** 2), rel=1e-9)
    assert one.distance == pytest.approx(float((expected - update.dense()).norm()), rel=1e-7, abs=1e-9)


def test_float32_agrees_to_one_in_a_million() -> None:
    update, found = make_update(300, 200, 8, dtype=torch.float32), make_directions(300, 200, 32, dtype=torch.float32)
    exact = dense_csulora(*_doubled(update, found), 2.0)
    fast = correct(update, found, strength=2.0, rank="exact").factors.dense()
    assert fast.dtype == torch.float32
    assert float((fast.double() - exact).norm() / exact.norm()) < 1e-6


def _doubled(update: Factors, found: Directions) -> tuple[Factors, Directions]:
    wide = Directions(found.u.double(), found.values.double(), found.v.double(), found.norm)
    return Factors(update.a.double(), update.b.double(), update.scale), wide


def test_half_precision_factors_are_corrected_in_float32() -> None:
    update, found = make_update(dtype=torch.bfloat16), make_directions(dtype=torch.float32)
    assert correct(update, found).factors.a.dtype == torch.float32


def test_the_result_minimises_the_penalised_problem() -> None:
    update, found = make_update(), make_directions()
    parts = dense_parts(update, found)
    energy = sum(float(part.norm() ** 2) for part in parts)
    x = correct(update, found, strength=3.0, rank="exact").factors
    gradient = x.dense() - update.dense()
    for part, mine in zip(parts[1:], dense_parts(x, found)[1:], strict=True):
        gradient = gradient + 3.0 * float(part.norm() ** 2) / energy * mine
    assert float(gradient.norm()) < 1e-12


def test_attenuation_reports_what_remains_of_each_part() -> None:
    one = correct(make_update(), make_directions(), strength=5.0)
    shares = [energy / sum(one.energies) for energy in one.energies]
    assert one.attenuation == pytest.approx([1.0, *(1 / (1 + 5.0 * share) for share in shares[1:])])


def test_strength_runs_from_no_change_to_projection() -> None:
    update, found = make_update(), make_directions()
    assert torch.allclose(correct(update, found, strength=0.0).factors.dense(), update.dense())
    vast = correct(update, found, strength=1e12).factors.dense()
    assert torch.allclose(vast, dense_parts(update, found)[0], atol=1e-9)


@pytest.mark.parametrize("rank", [1, 2, 3, "keep"])
def test_truncation_is_optimal_and_its_error_is_reported(rank: int | str) -> None:
    update, found = make_update(30, 20, 3), make_directions(30, 20, 5)
    expected = dense_csulora(update, found, 2.0)
    one = correct(update, found, strength=2.0, rank=rank)
    assert one.factors.rank == (3 if rank == "keep" else rank)
    best = float(torch.linalg.svdvals(expected)[one.factors.rank :].norm())
    assert one.recompression_error == pytest.approx(best)
    assert float((one.factors.dense() - expected).norm()) == pytest.approx(best)
    assert one.distance == pytest.approx(float((one.factors.dense() - update.dense()).norm()))


def test_the_separable_form_keeps_the_rank_without_error() -> None:
    update, found = make_update(30, 20, 3), make_directions(30, 20, 5)
    one = correct(update, found, strength=2.0, separable=True)
    aligned, left, right, off = dense_parts(update, found)
    a_left, a_right = one.attenuation.left, one.attenuation.right
    assert one.factors.rank == 3
    assert one.recompression_error < 1e-12
    assert torch.allclose(one.factors.dense(), aligned + a_left * left + a_right * right + a_left * a_right * off)


def test_per_direction_penalises_each_by_its_own_energy() -> None:
    update, found = make_update(30, 20, 4), make_directions(30, 20, 6)
    aligned, *others = dense_parts(update, found)
    energy, expected = float(update.dense().norm() ** 2), aligned
    for part in others:
        u, s, vh = torch.linalg.svd(part, full_matrices=False)
        expected = expected + (u * (s / (1 + 9.0 * s**2 / energy))) @ vh
    one = correct(update, found, strength=9.0, per_direction=True, rank="exact")
    assert torch.allclose(one.factors.dense(), expected)


def test_per_direction_equals_plain_with_one_direction() -> None:
    update, found = make_update(30, 20, 1), make_directions(30, 20, 6)
    plain, fine = (correct(update, found, strength=4.0, per_direction=on) for on in (False, True))
    assert torch.allclose(plain.factors.dense(), fine.factors.dense())


def test_per_direction_and_separable_are_exclusive() -> None:
    with pytest.raises(UserError, match="per_direction and separable are mutually exclusive"):
        correct(make_update(30, 20, 1), make_directions(30, 20, 6), per_direction=True, separable=True)


def _along(found: Directions, sign: float) -> Factors:
    return Factors(found.v.T.contiguous(), sign * found.u * found.values, 0.5)


@pytest.mark.parametrize("per_direction", [False, True])
def test_only_the_signed_method_attenuates_opposing_updates(per_direction: bool) -> None:
    found = make_directions()
    options = {"strength": 4.0, "per_direction": per_direction}
    with_it, against = _along(found, 1.0), _along(found, -1.0)
    for update, sign in ((with_it, 1.0), (against, -1.0)):
        plain = correct(update, found, **options)
        assert plain.sign_cosine == pytest.approx(sign)
        assert plain.relative_distance < 1e-12
    assert correct(with_it, found, signed=True, **options).relative_distance < 1e-12
    attenuated = correct(against, found, signed=True, signed_strength=4.0, **options)
    assert attenuated.attenuation.aligned == pytest.approx(0.2)
    assert attenuated.distance == pytest.approx(float((attenuated.factors.dense() - against.dense()).norm()))


def test_a_small_opposing_part_is_attenuated_as_much_as_a_large_one() -> None:
    """Against D with a thousandth of the energy; the rest is orthogonal to D's directions and ten times as large."""
    wide = make_directions(12, 9, 9)
    found = Directions(wide.u[:, :4], wide.values[:4], wide.v[:, :4], wide.norm)
    beside = 30 * wide.u[:, 4:7]
    b = torch.cat((-found.u * found.values / found.values.norm(), beside), 1)
    update = Factors(torch.cat((found.v, wide.v[:, 4:7]), 1).T.contiguous(), b)
    assert correct(update, found).energies.aligned < 0.001 * sum(correct(update, found).energies)
    left = [
        correct(update, found, signed=signed, signed_strength=strength, rank="exact").attenuation.aligned
        for signed, strength in ((False, 1.0), (True, 1.0), (True, 9.0), (True, 1e12))
    ]
    assert left == pytest.approx([1.0, 0.5, 0.1, 0.0])


def test_signed_keeps_what_goes_with_the_alignment() -> None:
    found = make_directions()
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    update = Factors(found.v.T.contiguous(), found.u * found.values * signs)
    kept = correct(update, found, signed=True, signed_strength=1e12).factors.dense()
    assert torch.allclose(kept, (found.u * found.values * (signs > 0)) @ found.v.T)


def test_signed_respects_a_negative_scale() -> None:
    found = make_directions()
    turned = Factors(found.v.T.contiguous(), found.u * found.values, -0.5)
    assert correct(turned, found).sign_cosine == pytest.approx(-1.0)
    assert correct(turned, found, signed=True, signed_strength=4.0).attenuation.aligned == pytest.approx(0.2)


def test_zero_updates_and_unaligned_modules_are_unchanged() -> None:
    nothing = Factors(torch.randn(2, 9), torch.zeros(12, 2))
    assert correct(nothing, make_directions()).factors is nothing
    unmoved = Directions(torch.zeros(12, 0), torch.zeros(0), torch.zeros(9, 0), 0.0)
    update = make_update(dtype=torch.float32)
    one = correct(update, unmoved, strength=9.0)
    assert one.factors is update
    assert one.distance == 0.0


def test_modules_match_with_or_without_a_leading_prefix() -> None:
    update, found = make_update(), make_directions()
    assert csulora({"h.0.attn": update}, {"transformer.h.0.attn": found, "transformer.h.1.attn": found})
    with pytest.raises(UserError, match="module 'h.2.attn' is not among the 1 modules"):
        csulora({"h.2.attn": update}, {"transformer.h.0.attn": found})


def test_a_mismatched_shape_is_refused() -> None:
    with pytest.raises(UserError, match=r"'model.layers.0.q_proj' is 10 x 9, but 12 x 9 in the checkpoints"):
        correct(make_update(m=10), make_directions())
