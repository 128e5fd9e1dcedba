"""S2R2's penalty `cross_entropy`: how much less likely a segment is under the perturbed prompt."""

import pytest
import torch
from torch.nn import functional

from holdfast.training.objectives.segments.likelihood import likelihood_drifts


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
