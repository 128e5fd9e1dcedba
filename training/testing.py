"""Conformance checks for methods, built-in or third-party: call them in your tests.

They run a method on a small model, in seconds, and raise AssertionError if it violates `holdfast.training.contract`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from holdfast.training.contract import Step, StepNoise, TrainingContext
from holdfast.training.method import Method, Place, get_method

if TYPE_CHECKING:
    from torch import Tensor

    from holdfast.training.loop.batches import Perturber

_PERTURBATIONS = ("typos", "word_deletion")


def check_objective(named: str | Method, settings: Mapping[str, Any] | None = None) -> None:
    """Check an objective, a method for `holdfast train --objective`.

    1. Its settings have valid defaults, and its builder has a docstring.
    2. The loss is a finite scalar whose gradient reaches the adapter; the logged values are finite floats.
    3. It returns the same loss twice from the same random state and doesn't change the batch.
    4. It works on one example and on several, at the start and at the end of training, and with a classifier unless it
       is declared with `classifies=False`.
    5. It is declared with `perturbs=True` if and only if it uses perturbed prompts.

    Args:
        named: A method, or the name of a registered one.
        settings: Settings to check it with instead of its defaults.

    Raises:
        AssertionError: If the objective violates the contract.
        UserError: If there is no objective of that name, or the settings are wrong.
    """
    method, chosen = _check_declaration(named, "loss", settings)
    used = False
    for kind in ("causal", "classification") if method.classifies else ("causal",):
        context, perturber = _make_training(kind)
        objective = method.build(chosen, context)
        assert callable(objective), f"{method.name}: must build a function of a step, got {type(objective).__name__}"
        for numbers, progress in (([0, 1, 2], 0.0), ([3], 1.0), ([0, 2], 0.5)):
            calls: list[str] = []
            step = _make_step(context, perturber, numbers, progress, calls)
            _check_step(method, objective, step)
            used = used or bool(calls)
    assert used == method.perturbs, (
        f"{method.name}: uses perturbed prompts but is not declared with perturbs=True"
        if used
        else f"{method.name}: is declared with perturbs=True but never uses perturbed prompts"
    )


def check_noise(named: str | Method, settings: Mapping[str, Any] | None = None) -> None:
    """Check a noise, a method for `holdfast train --noise`.

    1. Its settings have valid defaults, and its builder has a docstring.
    2. It returns the detached loss of its pass, and the gradients on the adapter are finite.
    3. Afterwards the frozen weights are bit-identical and have no gradients, and no noise is left on the model.
    4. It adds to gradients that are already there.
    5. The same seed and step give the same gradients, and the global random state is unchanged.

    Args:
        named: A method, or the name of a registered one.
        settings: Settings to check it with instead of its defaults.

    Raises:
        AssertionError: If the noise violates the contract.
        UserError: If there is no noise of that name, or the settings are wrong.
    """
    import torch

    method, chosen = _check_declaration(named, "weights", settings)
    context, perturber = _make_training("causal", dropout=0.0)
    model = context.model
    step = _make_step(context, perturber, [0, 1], 0.5, [])
    frozen = {name: p.detach().clone() for name, p in model.named_parameters() if not p.requires_grad}
    before = _compute_logits(step)
    noise = method.build(chosen, context)
    assert callable(getattr(noise, "backward", None)), f"{method.name}: must build an object with a method 'backward'"

    def run() -> Tensor:
        loss = step.task(step.clean)[0]
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def gradients() -> dict[str, Tensor]:
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad and p.grad is not None}

    model.zero_grad()
    state = torch.random.get_rng_state()
    loss = noise.backward(run, 5, 10)
    first = gradients()
    assert torch.equal(state, torch.random.get_rng_state()), f"{method.name}: uses torch's global random state"
    assert getattr(loss, "shape", None) == (), f"{method.name}: must return the loss, a scalar, got {loss!r}"
    assert not loss.requires_grad, f"{method.name}: must return the loss detached"
    assert first, f"{method.name}: leaves no gradients on the adapter: call run()"
    assert all(bool(g.isfinite().all()) for g in first.values()), f"{method.name}: leaves gradients that are not finite"
    for name, parameter in model.named_parameters():
        if name in frozen:
            assert torch.equal(parameter, frozen[name]), f"{method.name}: changed the frozen weight {name}"
            assert parameter.grad is None, f"{method.name}: leaves a gradient on the frozen weight {name}"
            assert not parameter.requires_grad, f"{method.name}: leaves the frozen weight {name} trainable"
    assert torch.equal(before, _compute_logits(step)), f"{method.name}: leaves noise on the model after the step"
    noise.backward(run, 5, 10)
    for name, grad in gradients().items():
        close = torch.allclose(grad, 2 * first[name], rtol=1e-4, atol=1e-7)
        assert close, f"{method.name}: running the same step again must add the same gradients ({name})"
    _check_interrupted(method.name, noise, model)


def _check_interrupted(name: str, noise: StepNoise, model: Any) -> None:
    """A step that raises must leave the weights as they were."""
    import torch

    kept = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}

    def interrupted() -> Tensor:
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        noise.backward(interrupted, 5, 10)
    for key, parameter in model.named_parameters():
        assert torch.equal(parameter, kept[key]), f"{name}: leaves {key} changed if a step is interrupted: use finally"


def check_correction(named: str | Method, settings: Mapping[str, Any] | None = None) -> None:
    """Check a correction, a method for `holdfast correct --method`.

    1. Its settings have valid defaults, and its builder has a docstring.
    2. It returns a finite `Correction` of each module's shape, the same one every time, and doesn't change its input.
    3. The reported energies and distance equal those of the dense matrices.
    4. An update of zero stays zero, and a `strength` of 0, if there is such a setting, changes nothing.

    Args:
        named: A method, or the name of a registered one.
        settings: Settings to check it with instead of its defaults.

    Raises:
        AssertionError: If the correction violates the contract.
        UserError: If there is no correction of that name, or the settings are wrong.
    """
    import torch

    from holdfast.training.corrections.factored.factors import Correction
    from holdfast.training.corrections.factored.module_update import ModuleUpdates

    method, chosen = _check_declaration(named, "adapter", settings)
    adapter, subspace, displacements = _make_adapter()
    kept = {name: (each.a.clone(), each.b.clone()) for name, each in adapter.items()}
    modules = ModuleUpdates(adapter, subspace, displacements)
    correct, again = method.build(chosen, modules), method.build(chosen, modules)
    assert callable(correct), f"{method.name}: must build a function of one module, got {type(correct).__name__}"
    for name in modules:
        module = modules[name]
        found = correct(module)
        where = f"{method.name}, module '{name}'"
        assert isinstance(found, Correction), f"{where}: must return a Correction, got {type(found).__name__}"
        assert all(map(torch.equal, kept[name], (adapter[name].a, adapter[name].b))), f"{where}: changed its input"
        inner = tuple(found.factors.b.shape[1:]), tuple(found.factors.a.shape[:1])
        assert inner[0] == inner[1], f"{where}: B (m, r) and A (r, n) of the result differ in r: {inner[0]}, {inner[1]}"
        dense, update = found.factors.dense().double(), module.factors.dense().double()
        assert dense.shape == update.shape, f"{where}: turned {tuple(update.shape)} into {tuple(dense.shape)}"
        assert bool(dense.isfinite().all()), f"{where}: the result is not finite"
        assert torch.equal(dense, again(modules[name]).factors.dense().double()), f"{where}: not the same every time"
        size, moved = float(update.norm()), float((dense - update).norm())
        assert math.isclose(found.distance, moved, rel_tol=1e-3, abs_tol=1e-4 * (size + 1)), (
            f"{where}: reports a distance of {found.distance:.4g}, but moved the update by {moved:.4g}"
        )
        assert math.isclose(sum(found.energies), size**2, rel_tol=1e-3, abs_tol=1e-6), (
            f"{where}: the energies add up to {sum(found.energies):.4g}, but the update's energy is {size**2:.4g}"
        )
        if not size:
            assert float(dense.norm()) == 0, f"{where}: an update of zero must stay zero"
    if any(name == "strength" for name, _, _ in method.describe_settings()):
        unchanged = method.build(dataclasses.replace(chosen, strength=0.0), modules)
        for name in modules:
            dense, update = unchanged(modules[name]).factors.dense(), adapter[name].dense()
            assert torch.allclose(dense, update, atol=1e-5), f"{method.name}: strength 0 must change nothing ('{name}')"


def _check_declaration(named: str | Method, place: Place, settings: Mapping[str, Any] | None) -> tuple[Method, Any]:
    """Return the method and its settings after checking its declaration."""
    method = get_method(named, place) if isinstance(named, str) else named
    assert method.place == place, f"{method.name}: acts at '{method.place}', not at '{place}'"
    assert method.summary, f"{method.name}: its builder needs a docstring, whose first line `holdfast ls` shows"
    for name, default, text in method.describe_settings():
        if default is not None:
            method.parse_settings({name: default})
        assert text, f"{method.name}: its setting '{name}' needs a help text: use setting(default, help)"
    return method, method.parse_settings(settings or {})


def _check_step(method: Method, objective: Callable[[Step], Any], step: Step) -> None:
    import torch

    name, model = method.name, step.model
    kept = {key: value.clone() for key, value in step.clean.items()}
    weights = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}
    losses = []
    for _ in range(2):
        model.zero_grad()
        torch.manual_seed(0)
        result = objective(step)
        assert isinstance(result, tuple), f"{name}: must return (loss, values to log), got {type(result).__name__}"
        loss, logged = result
        assert getattr(loss, "shape", None) == (), f"{name}: the loss must be a scalar tensor, got {loss!r}"
        assert bool(torch.isfinite(loss)), f"{name}: the loss is {loss.item()}"
        assert loss.requires_grad, f"{name}: the loss has no gradient"
        for key, value in logged.items():
            is_number = isinstance(value, float) and math.isfinite(value)
            assert is_number, f"{name}: logged values must be finite floats, got {key}={value!r}"
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.item())
        for key, value in kept.items():
            assert torch.equal(value, step.clean[key]), f"{name}: changed the batch's {key}"
        for key, parameter in model.named_parameters():
            assert torch.equal(weights[key], parameter), f"{name}: changed the weight {key}"
        assert model.training, f"{name}: leaves the model in evaluation mode"
    found = [p.grad for p in model.parameters() if p.requires_grad and p.grad is not None]
    assert any(bool((grad != 0).any()) for grad in found), f"{name}: no gradient reaches the adapter"
    assert all(bool(grad.isfinite().all()) for grad in found), f"{name}: gradients are not finite"
    assert losses[0] == losses[1], f"{name}: returns {losses[0]} and {losses[1]} from the same random state"


def _make_training(kind: str, dropout: float = 0.1) -> tuple[TrainingContext, Perturber]:
    """Make a small model with a LoRA adapter and dropout, four examples, and a perturber for them."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

    from holdfast.training.examples import Example
    from holdfast.training.loop.batches import Collator, Perturber
    from holdfast.training.pocket import resolve

    tokenizer = AutoTokenizer.from_pretrained(resolve("pocket-base"))
    torch.manual_seed(0)
    classifies = kind == "classification"
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
        num_labels=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    base = (LlamaForSequenceClassification if classifies else LlamaForCausalLM)(config)
    model = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", lora_dropout=dropout))
    model.train()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    prompts = ("When does the night train leave Lyon?", "Who wrote the novel?", "Name the river.", "What is 7 times 6?")
    answers = ("It leaves at 22:10. Be early.", "Anna Berg wrote it, in 1851.", "The Lune, near Lancaster.", "42.")
    examples = [
        Example(({"role": "user", "content": prompt},), "" if classifies else answer, i % 2 if classifies else None)
        for i, (prompt, answer) in enumerate(zip(prompts, answers, strict=True))
    ]
    collator = Collator(tokenizer.pad_token_id, "classification" if classifies else "causal")
    perturber = Perturber(examples, _PERTURBATIONS, 0, tokenizer, collator, 128)
    context = TrainingContext(
        model=model, tokenizer=tokenizer, kind=collator.kind, examples=examples, encode=perturber.encode, seed=0
    )
    return context, perturber


def _make_step(
    context: TrainingContext, perturber: Perturber, numbers: list[int], progress: float, calls: list[str]
) -> Step:
    """Make a step over these examples; `calls` records each request for perturbed prompts."""
    from holdfast.training.loop.task_loss import task_loss

    def perturbed_examples() -> list[Any]:
        calls.append("perturbed")
        return perturber.perturb_examples(numbers, 0)

    return Step(
        model=context.model,
        clean=perturber.encode([context.examples[n] for n in numbers]),
        perturbed=lambda: perturber.encode(perturbed_examples()),
        perturbed_examples=perturbed_examples,
        numbers=numbers,
        task_loss=lambda logits, labels: task_loss(logits, labels, False),
        number=round(10 * progress),
        progress=progress,
    )


def _compute_logits(step: Step) -> Tensor:
    import torch

    step.model.eval()
    with torch.no_grad():
        found = step.task(step.clean)[1]
    step.model.train()
    return found


def _make_adapter() -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:
    """Make factors, directions and displacements of three modules: ordinary, tall, and with a zero update."""
    import torch

    from holdfast.training.corrections.factored.factors import Factors
    from holdfast.training.corrections.factored.subspace import find_directions

    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    shapes = {"layers.0.q_proj": (12, 9), "layers.0.up_proj": (20, 9), "layers.1.q_proj": (12, 9)}
    displacements = {name: normal(*shape) for name, shape in shapes.items()}
    adapter = {name: Factors(normal(3, n), normal(m, 3), 0.5) for name, (m, n) in shapes.items()}
    zero = adapter["layers.1.q_proj"]
    adapter["layers.1.q_proj"] = Factors(zero.a, torch.zeros_like(zero.b), zero.scale)
    subspace = {name: find_directions(each, name, rank=4) for name, each in displacements.items()}
    return adapter, subspace, displacements
