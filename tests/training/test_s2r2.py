"""The terms of S2R2: the worst drift and its gradient, in states and in likelihood; the stability of the adapter."""

import pytest
import torch
from torch.nn import functional

from holdfast.errors import UserError
from holdfast.training.method import methods
from holdfast.training.objectives.segments.likelihood import likelihood_drifts
from holdfast.training.objectives.segments.losses import (
    segment_drifts,
    segment_means,
    semantic_loss,
    stability_loss,
    worst_mean,
)
from holdfast.training.objectives.segments.settings import S2R2
from tests.training.models import tiny, with_lora


def vectors(count: int, seed: int) -> torch.Tensor:
    return torch.randn(count, 16, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("transport", ["sinkhorn", "exact"])
def test_equal_answers_do_not_drift(transport: str) -> None:
    answers = [vectors(4, 0), vectors(3, 1)]
    loss, off_diagonal = semantic_loss(answers, answers, S2R2(transport=transport))
    assert loss.item() == pytest.approx(0, abs=1e-5)
    assert off_diagonal == pytest.approx(0, abs=1e-4)


def test_reordered_segments_do_not_drift() -> None:
    answers = [vectors(4, 0), vectors(3, 1)]
    turned = [each.flip(0) for each in answers]
    loss, off_diagonal = semantic_loss(answers, turned, S2R2(transport="exact"))
    assert loss.item() == pytest.approx(0, abs=1e-5)
    assert off_diagonal > 0.5


def test_one_corrupted_segment_has_the_largest_drift() -> None:
    answers = [vectors(5, 0), vectors(4, 1)]
    corrupted = [answers[0].clone(), answers[1]]
    corrupted[0][2] = vectors(1, 9)[0]
    drifts, _ = segment_drifts(answers, corrupted, S2R2(transport="exact"))
    assert int(drifts[0][:5].argmax()) == 2
    assert int(drifts[0][5:].argmax()) == 2
    assert drifts[1].max().item() == pytest.approx(0, abs=1e-5)


def test_only_the_perturbed_side_gets_a_gradient() -> None:
    clean, perturbed = vectors(4, 0).requires_grad_(), vectors(3, 5).requires_grad_()
    loss, _ = semantic_loss([clean], [perturbed], S2R2())
    loss.backward()
    assert clean.grad is None
    assert perturbed.grad is not None
    assert perturbed.grad.abs().sum() > 0


def test_a_gradient_step_lowers_the_drift() -> None:
    clean, perturbed = vectors(4, 0), vectors(4, 5).requires_grad_()
    before, _ = semantic_loss([clean], [perturbed], S2R2())
    before.backward()
    after, _ = semantic_loss([clean], [(perturbed - 0.5 * perturbed.grad).detach()], S2R2())
    assert after < before


def test_rho_interpolates_between_maximum_and_mean() -> None:
    drifts = torch.tensor([0.1, 0.9, 0.3, 0.5])
    assert worst_mean(drifts, 0.0).item() == pytest.approx(0.9)
    assert worst_mean(drifts, 0.5).item() == pytest.approx(0.7)
    assert worst_mean(drifts, 1.0).item() == pytest.approx(drifts.mean().item())


def test_segment_vectors_are_means_over_their_tokens() -> None:
    states = torch.arange(12.0).view(4, 3)
    assert segment_means(states, [(0, 2), (3, 4)]).tolist() == [[1.5, 2.5, 3.5], [9.0, 10.0, 11.0]]


def test_stability_is_a_scale_invariant_product_of_norms() -> None:
    model = with_lora(tiny("llama")[0])
    settings = S2R2(eta=0.0)
    before = stability_loss(model, settings).item()
    expected = sum(
        module.scaling["default"] * module.lora_A["default"].weight.norm() * module.lora_B["default"].weight.norm()
        for module in model.modules()
        if hasattr(module, "lora_A")
    )
    assert before == pytest.approx(float(expected), rel=1e-5)
    with torch.no_grad():
        for module in model.modules():
            if hasattr(module, "lora_A"):
                module.lora_A["default"].weight.mul_(4.0)
                module.lora_B["default"].weight.div_(4.0)
    assert stability_loss(model, settings).item() == pytest.approx(before, rel=1e-5)


def test_stability_has_a_finite_gradient_at_b_zero() -> None:
    model = with_lora(tiny("llama")[0])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.zero_()
    stability_loss(model, S2R2()).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_stability_can_be_limited_to_queries_and_keys() -> None:
    model = with_lora(tiny("llama")[0])
    assert stability_loss(model, S2R2(qk_only=True)) < stability_loss(model, S2R2())


def test_the_weight_warms_up() -> None:
    settings = S2R2(lambda_sem=2.0, warmup=0.1)
    assert [settings.weight(progress) for progress in (0.0, 0.05, 0.1, 1.0)] == [0.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rho": 1.5}, "rho must be <= 1, got 1.5"),
        ({"every": 0}, "every must be >= 1, got 0"),
        ({"eta": -1}, "eta must be >= 0, got -1"),
    ],
)
def test_wrong_settings_are_named(settings: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        methods.get("s2r2").parse_settings(settings)


def test_stability_counts_embeddings_and_experts() -> None:
    model = with_lora(tiny("llama")[0], target_modules=["q_proj", "embed_tokens"], target_parameters=["up_proj.weight"])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_()
    norms = {name: parameter.norm() for name, parameter in model.named_parameters() if "lora_" in name}
    pairs = [(norm, norms[name.replace("_A", "_B")]) for name, norm in norms.items() if "_A" in name]
    expected = sum(2 * a * b for a, b in pairs)  # the scale is alpha / r = 8 / 4
    assert len(pairs) == 2 + 1 + 2
    assert stability_loss(model, S2R2(eta=0.0)).item() == pytest.approx(float(expected), rel=1e-5)


def batch(prompt: int, answer: list[int]) -> dict[str, torch.Tensor]:
    """A row with a prompt of this many tokens, and its answer."""
    ids = torch.tensor([[0] * prompt + answer])
    labels = torch.tensor([[-100] * prompt + answer])
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}


def logits(width: int, seed: int) -> torch.Tensor:
    return torch.randn(1, width, 7, generator=torch.Generator().manual_seed(seed))


ANSWER = [1, 2, 3, 4, 5]
SPANS = [[(0, 2), (2, 5)]]


def test_equal_likelihoods_are_no_drift() -> None:
    clean = logits(8, 0)
    [drifts] = likelihood_drifts((clean, batch(3, ANSWER)), (clean, batch(3, ANSWER)), SPANS)
    assert drifts.tolist() == [0.0, 0.0]


def test_a_drift_is_the_rise_of_a_segments_cross_entropy() -> None:
    """Prompts may differ in length: the answer's tokens are compared, wherever they stand."""
    old, new = logits(8, 0), logits(10, 1)
    [drifts] = likelihood_drifts((old, batch(3, ANSWER)), (new, batch(5, ANSWER)), SPANS)
    for drift, (start, end) in zip(drifts, SPANS[0], strict=True):
        targets = torch.tensor(ANSWER[start:end])
        before = functional.cross_entropy(old[0, 2 + start : 2 + end], targets)
        after = functional.cross_entropy(new[0, 4 + start : 4 + end], targets)
        assert drift.item() == pytest.approx(max(0.0, float(after - before)), abs=1e-6)


def test_the_gradient_makes_the_tokens_likelier_under_the_perturbed_prompt() -> None:
    old, new = logits(8, 0), logits(8, 1).requires_grad_()
    spans = [[(0, 5)]]
    sides = (old, batch(3, ANSWER)), (new, batch(3, ANSWER))
    [drifts] = likelihood_drifts(*sides, spans)
    assert drifts.sum() > 0
    drifts.sum().backward()
    assert new.grad is not None
    moved = (new - new.grad).detach()
    [less] = likelihood_drifts((old, batch(3, ANSWER)), (moved, batch(3, ANSWER)), spans)
    assert less.sum() < drifts.sum()
    assert new.grad[0, :2].abs().sum() == 0  # the prompt's own predictions are not touched


def test_an_answer_cut_by_a_long_prompt_has_fewer_segments() -> None:
    whole, cut = batch(3, ANSWER), batch(5, ANSWER[:3])
    [drifts] = likelihood_drifts((logits(8, 0), whole), (logits(8, 1), cut), SPANS)
    assert len(drifts) == 1


def test_seq2seq_logits_are_aligned_already() -> None:
    answer = torch.tensor([ANSWER])
    side = {"labels": answer, "decoder_input_ids": answer}
    old, new = logits(5, 0), logits(5, 1)
    [drifts] = likelihood_drifts((old, side), (new, side), [[(0, 5)]])
    rise = functional.cross_entropy(new[0], answer[0]) - functional.cross_entropy(old[0], answer[0])
    assert drifts.item() == pytest.approx(max(0.0, float(rise)), abs=1e-6)
