"""CSULoRA through the factors: equal to the dense form, optimal, and honest about what it did."""

import doctest
import importlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import UserError
from holdfast.training.corrections import Directions, Factors, csulora
from tests.training.corrections.made import dense_csulora, dense_parts, made_directions, made_update

NAME = "model.layers.0.q_proj"


def corrected(update: Factors, found: Directions, **options: object):
    return csulora({NAME: update}, {NAME: found}, **options)[NAME]  # type: ignore[arg-type]


@pytest.mark.parametrize("module", ["csulora", "factored.factors"])
def test_the_examples_in_the_docstrings_are_true(module: str) -> None:
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
    update, found = made_update(m, n, r, seed=seed), made_directions(m, n, min(k, m, n), seed=seed + 1)
    one = corrected(update, found, strength=strength, rank="exact")
    wanted = dense_csulora(update, found, strength)
    assert float((one.factors.dense() - wanted).norm()) <= 1e-10 * float(update.dense().norm())
    assert one.factors.rank <= 2 * r
    parts = dense_parts(update, found)
    assert one.energies == pytest.approx([float(part.norm() ** 2) for part in parts], rel=1e-9, abs=1e-12)
    assert sum(one.energies) == pytest.approx(float(update.dense().norm() ** 2), rel=1e-9)
    assert one.distance == pytest.approx(float((wanted - update.dense()).norm()), rel=1e-7, abs=1e-9)


def test_in_float32_it_is_equal_to_one_in_a_million() -> None:
    update, found = made_update(300, 200, 8, dtype=torch.float32), made_directions(300, 200, 32, dtype=torch.float32)
    exact = dense_csulora(*_doubled(update, found), 2.0)
    fast = corrected(update, found, strength=2.0, rank="exact").factors.dense()
    assert fast.dtype == torch.float32
    assert float((fast.double() - exact).norm() / exact.norm()) < 1e-6


def _doubled(update: Factors, found: Directions) -> tuple[Factors, Directions]:
    wide = Directions(found.u.double(), found.values.double(), found.v.double(), found.norm)
    return Factors(update.a.double(), update.b.double(), update.scale), wide


def test_half_precision_factors_are_corrected_in_float32() -> None:
    update, found = made_update(dtype=torch.bfloat16), made_directions(dtype=torch.float32)
    assert corrected(update, found).factors.a.dtype == torch.float32


def test_it_is_the_minimiser_of_the_penalised_problem() -> None:
    update, found = made_update(), made_directions()
    parts = dense_parts(update, found)
    energy = sum(float(part.norm() ** 2) for part in parts)
    x = corrected(update, found, strength=3.0, rank="exact").factors
    gradient = x.dense() - update.dense()
    for part, mine in zip(parts[1:], dense_parts(x, found)[1:], strict=True):
        gradient = gradient + 3.0 * float(part.norm() ** 2) / energy * mine
    assert float(gradient.norm()) < 1e-12


def test_attenuation_says_what_was_left_of_each_part() -> None:
    one = corrected(made_update(), made_directions(), strength=5.0)
    shares = [energy / sum(one.energies) for energy in one.energies]
    assert one.attenuation == pytest.approx([1.0, *(1 / (1 + 5.0 * share) for share in shares[1:])])


def test_strength_zero_changes_nothing_and_a_vast_one_leaves_the_aligned_part() -> None:
    update, found = made_update(), made_directions()
    assert torch.allclose(corrected(update, found, strength=0.0).factors.dense(), update.dense())
    vast = corrected(update, found, strength=1e12).factors.dense()
    assert torch.allclose(vast, dense_parts(update, found)[0], atol=1e-9)


@pytest.mark.parametrize("rank", [1, 2, 3, "keep"])
def test_a_smaller_rank_is_the_best_of_that_rank_and_its_error_is_known(rank: int | str) -> None:
    update, found = made_update(30, 20, 3), made_directions(30, 20, 5)
    wanted = dense_csulora(update, found, 2.0)
    one = corrected(update, found, strength=2.0, rank=rank)
    assert one.factors.rank == (3 if rank == "keep" else rank)
    best = float(torch.linalg.svdvals(wanted)[one.factors.rank :].norm())
    assert one.recompression_error == pytest.approx(best)
    assert float((one.factors.dense() - wanted).norm()) == pytest.approx(best)
    assert one.distance == pytest.approx(float((one.factors.dense() - update.dense()).norm()))


def test_the_separable_form_has_the_rank_it_had_at_no_cost() -> None:
    update, found = made_update(30, 20, 3), made_directions(30, 20, 5)
    one = corrected(update, found, strength=2.0, separable=True)
    aligned, left, right, off = dense_parts(update, found)
    a_left, a_right = one.attenuation.left, one.attenuation.right
    assert one.factors.rank == 3
    assert one.recompression_error < 1e-12
    assert torch.allclose(one.factors.dense(), aligned + a_left * left + a_right * right + a_left * a_right * off)


def test_per_direction_penalises_each_by_its_own_energy() -> None:
    update, found = made_update(30, 20, 4), made_directions(30, 20, 6)
    aligned, *others = dense_parts(update, found)
    energy, wanted = float(update.dense().norm() ** 2), aligned
    for part in others:
        u, s, vh = torch.linalg.svd(part, full_matrices=False)
        wanted = wanted + (u * (s / (1 + 9.0 * s**2 / energy))) @ vh
    one = corrected(update, found, strength=9.0, per_direction=True, rank="exact")
    assert torch.allclose(one.factors.dense(), wanted)


def test_per_direction_is_the_same_where_there_is_one_direction() -> None:
    update, found = made_update(30, 20, 1), made_directions(30, 20, 6)
    plain, fine = (corrected(update, found, strength=4.0, per_direction=on) for on in (False, True))
    assert torch.allclose(plain.factors.dense(), fine.factors.dense())


def test_per_direction_and_separable_exclude_each_other() -> None:
    with pytest.raises(UserError, match="exclude each other"):
        corrected(made_update(30, 20, 1), made_directions(30, 20, 6), per_direction=True, separable=True)


def _along(found: Directions, sign: float) -> Factors:
    return Factors(found.v.T.contiguous(), sign * found.u * found.values, 0.5)


@pytest.mark.parametrize("per_direction", [False, True])
def test_the_method_is_blind_to_the_sign_and_the_signed_one_is_not(per_direction: bool) -> None:
    found = made_directions()
    options = {"strength": 4.0, "per_direction": per_direction}
    with_it, against = _along(found, 1.0), _along(found, -1.0)
    for update, sign in ((with_it, 1.0), (against, -1.0)):
        plain = corrected(update, found, **options)
        assert plain.sign_cosine == pytest.approx(sign)
        assert plain.relative_distance < 1e-12
    assert corrected(with_it, found, signed=True, **options).relative_distance < 1e-12
    mended = corrected(against, found, signed=True, **options)
    assert mended.attenuation.aligned < 0.9
    assert mended.distance == pytest.approx(float((mended.factors.dense() - against.dense()).norm()))
    if not per_direction:
        assert mended.attenuation.aligned == pytest.approx(1 / (1 + 4.0))


def test_signed_takes_a_negative_scale_for_what_it_is() -> None:
    found = made_directions()
    turned = Factors(found.v.T.contiguous(), found.u * found.values, -0.5)
    assert corrected(turned, found).sign_cosine == pytest.approx(-1.0)
    assert corrected(turned, found, signed=True, strength=4.0).attenuation.aligned == pytest.approx(0.2)


def test_an_update_of_zero_and_a_module_that_alignment_left_alone_stay_bit_for_bit() -> None:
    nothing = Factors(torch.randn(2, 9), torch.zeros(12, 2))
    assert corrected(nothing, made_directions()).factors is nothing
    unmoved = Directions(torch.zeros(12, 0), torch.zeros(0), torch.zeros(9, 0), 0.0)
    update = made_update(dtype=torch.float32)
    one = corrected(update, unmoved, strength=9.0)
    assert one.factors is update
    assert one.distance == 0.0


def test_modules_are_matched_by_name_with_or_without_a_leading_prefix() -> None:
    update, found = made_update(), made_directions()
    assert csulora({"h.0.attn": update}, {"transformer.h.0.attn": found, "transformer.h.1.attn": found})
    with pytest.raises(UserError, match="module 'h.2.attn' is not among the 1 modules"):
        csulora({"h.2.attn": update}, {"transformer.h.0.attn": found})


def test_another_shape_is_refused() -> None:
    with pytest.raises(UserError, match=r"'model.layers.0.q_proj' is 10 x 9, the checkpoints' is 12 x 9"):
        corrected(made_update(m=10), made_directions())
