"""The gradients of the terms of a loss are compared without touching those of the model."""

import pytest
import torch

from holdfast.training.objectives.segments.term_gradients import compare_gradients


def model_with(values: list[float]) -> torch.nn.Module:
    layer = torch.nn.Linear(len(values), 1, bias=False)
    layer.weight.data = torch.tensor([values])
    return layer


@pytest.mark.parametrize(("direction", "cosine"), [([1.0, 0.0], 1.0), ([-2.0, 0.0], -1.0), ([0.0, 3.0], 0.0)])
def test_norms_and_cosine_are_those_of_the_gradients(direction: list[float], cosine: float) -> None:
    model = model_with([1.0, 2.0])
    weight = next(model.parameters())
    task, drift = (weight @ torch.tensor([2.0, 0.0])).sum(), (weight @ torch.tensor(direction)).sum()
    found = compare_gradients(model, task, drift)
    assert found["task_gradient"] == pytest.approx(2.0)
    assert found["drift_gradient"] == pytest.approx(sum(value**2 for value in direction) ** 0.5)
    assert found["gradient_cosine"] == pytest.approx(cosine)
    assert weight.grad is None
    (task + drift).backward()


def test_a_zero_gradient_has_no_cosine() -> None:
    model = model_with([1.0, 2.0])
    weight = next(model.parameters())
    assert "gradient_cosine" not in compare_gradients(model, weight.sum(), 0.0 * weight.sum())
