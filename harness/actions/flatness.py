"""How flat the loss lies around an adapter, on data: sharpness, curvature, a PAC-Bayes bound, and pictures of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.backends.engines.hf_loading import load, open_checkpoint
from holdfast.harness.models.checkpoints import find_adapters, find_base
from holdfast.metrics.adapters.pac_bayes import Bound, best_bound
from holdfast.metrics.adapters.sharpness import (
    Sharpness,
    expected_sharpness,
    largest_eigenvalue,
    row_normalised,
    surface,
)

if TYPE_CHECKING:
    from torch import Tensor

    from holdfast.training.examples import Example

SIGMAS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Scales of the weight noise, as shares of each row's length."""

ADAPTER_SIGMAS = (0.003, 0.01, 0.03)
"""Scales of the noise on A and B that the PAC-Bayes bound may choose from."""

FEW = 8
"""Examples for what takes many passes or much memory: curvature, surfaces, each draw of the bound's risk."""

DRAWS, RISK_DRAWS = 5, 32
REACH, POINTS = 0.5, 15
"""The surfaces go so many row lengths away from the weights, in so many points along each direction."""


@dataclass(frozen=True, slots=True)
class Flatness:
    """What `holdfast inspect --data` measures. `start` says from where the adapter's distance in the bound is taken:
    its initial point, which `holdfast train` writes down, or zero."""

    examples: int
    loss: float
    sharpness: tuple[Sharpness, ...]
    largest_eigenvalue: float
    pac_bayes: Bound
    start: str


class Probed:
    """An adapter on its base, or a model alone, and its loss on examples under replaced weights: the matrices under the
    adapter, all linear layers but the output embeddings without one."""

    def __init__(self, adapter: str | None, data: str, base: str, limit: int, device: str | None = None) -> None:
        from holdfast.training.examples import encode, fitting
        from holdfast.training.loop.batches import Collator
        from holdfast.training.noise.weights.layers import adapted_layers

        examples = _examples(data)[:limit]
        _check_writes(base)
        found = find_base(base)
        chosen = find_adapters([adapter], found) if adapter else []
        # Eager attention, because the fast kernels have no second derivative.
        args = {"pretrained": base, "attn_implementation": "eager", "dtype": "float32"}
        loaded = load(BackendOptions(args, None, device), chosen)
        self.model, tokenizer = loaded.model, loaded.tokenizer
        self.seq2seq = loaded.seq2seq
        encoded = [encode(each, tokenizer, seq2seq=self.seq2seq) for each in examples]
        self.rows = fitting(encoded, loaded.max_length, "cut")[0]
        start = getattr(self.model.config, "decoder_start_token_id", 0) or 0
        self._collator = Collator(tokenizer.pad_token_id, "seq2seq" if self.seq2seq else "causal", start)
        self._places = {id(parameter): name for name, parameter in self.model.named_parameters()}
        head = self.model.get_output_embeddings()
        layers = adapted_layers(self.model, all_linear=adapter is None)
        self.layers = {layer.name: layer for layer in layers if layer.base is not head}
        if not self.layers:
            raise UserError(f"adapter '{adapter}' changes no linear layer: there is nothing to put noise on")
        self.weights = {name: layer.weight() for name, layer in self.layers.items()}
        self.norms = {name: layer.row_norms() for name, layer in self.layers.items()}
        self.factors = {name: p.detach() for name, p in self.model.named_parameters() if ".lora_" in name}

    def loss(self, weights: Mapping[str, Tensor], rows: Sequence[Any] | None = None) -> Tensor:
        """The mean loss per example with these matrices (m, n) under the adapter."""
        from holdfast.training.loop.method_trainer import task_loss

        rows = self.rows if rows is None else rows
        replaced = {}
        for name, weight in weights.items():
            layer: Any = self.layers[name]
            replaced[self._places[id(layer.base.weight)]] = weight.T if layer.transposed else weight
        total: Any = 0.0
        for at in range(0, len(rows), 16):
            part = rows[at : at + 16]
            logits, labels = self._run(replaced, part)
            total = total + task_loss(logits, labels, self.seq2seq) * len(part)
        result: Tensor = total / len(rows)
        return result

    def loss_on_few(self, weights: Mapping[str, Tensor]) -> Tensor:
        """The same, on the first few examples."""
        return self.loss(weights, self.rows[:FEW])

    def error(self, sigma: float, seed: int) -> float:
        """The mean over a few random examples of the share of answer tokens that are wrong, with noise N(0, sigma^2)
        on A and B."""
        import torch

        rows = Random(seed).choices(self.rows, k=FEW)
        generator = torch.Generator().manual_seed(seed)
        noisy = {
            name: factor + sigma * torch.randn(factor.shape, generator=generator).to(factor)
            for name, factor in self.factors.items()
        }
        with torch.no_grad():
            logits, labels = self._run(noisy, rows)
        if not self.seq2seq:
            logits, labels = logits[:, :-1], labels[:, 1:]
        asked = labels != -100
        return float((((logits.argmax(-1) != labels) & asked).sum(1) / asked.sum(1)).mean())

    def _run(self, replaced: Mapping[str, Tensor], rows: Sequence[Any]) -> tuple[Tensor, Tensor]:
        from torch.func import functional_call

        device = next(self.model.parameters()).device
        batch = {name: value.to(device) for name, value in self._collator(rows).items() if name != "number"}
        labels = batch.pop("labels")
        return functional_call(self.model, dict(replaced), kwargs=batch).logits, labels


def _examples(data: str) -> list[Example]:
    """The examples of a file; raises UserError for labels."""
    from holdfast.training.examples import read_examples

    examples = read_examples(data)
    if any(each.label is not None for each in examples):
        raise UserError(
            f"--data '{data}' has labels, and flatness is measured on prompts and completions only: without --data "
            "inspect shows a classifier's adapter, too"
        )
    return examples


def _check_writes(base: str) -> None:
    """Raise UserError for a base that writes no answers, on which a loss would mean nothing."""
    from holdfast.training.base_model import only_reads

    _, config, _ = open_checkpoint({"pretrained": base})
    if only_reads(config):
        raise UserError(
            f"the base '{base}' ({config.model_type}) is an encoder and writes nothing: flatness is measured on what a "
            "model writes, so leave out --data"
        )


def measure_flatness(probed: Probed, squared_distance: float | None) -> Flatness:
    """Sharpness, curvature and bound of an adapter; `squared_distance` from its initial point, where that is known."""
    from_zero = sum(float(factor.double().pow(2).sum()) for factor in probed.factors.values())
    return Flatness(
        examples=len(probed.rows),
        loss=float(probed.loss({}).detach()),
        sharpness=tuple(expected_sharpness(probed.loss, probed.weights, probed.norms, SIGMAS, draws=DRAWS)),
        largest_eigenvalue=largest_eigenvalue(probed.loss_on_few, probed.weights),
        pac_bayes=best_bound(
            lambda sigma: [probed.error(sigma, draw) for draw in range(RISK_DRAWS)],
            from_zero if squared_distance is None else squared_distance,
            len(probed.rows),
            ADAPTER_SIGMAS,
        ),
        start="zero" if squared_distance is None else "initial point",
    )


def draw_surfaces(probed: Probed, picture: Path) -> list[Path]:
    """Draw the loss along one and two row-normalised directions, and write the numbers beside the picture, as CSV."""
    from matplotlib.figure import Figure

    directions = [row_normalised(probed.weights, probed.norms, seed) for seed in (0, 1)]
    line = surface(probed.loss_on_few, probed.weights, directions[:1], reach=REACH, points=POINTS)
    plane = surface(probed.loss_on_few, probed.weights, directions, reach=REACH, points=POINTS)
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([place[0] for place, _ in line], [loss for _, loss in line])
    left.set(xlabel="direction 1 (row lengths)", ylabel="loss")
    steps = [place[0] for place, _ in line]
    levels = [[plane[i * POINTS + j][1] for i in range(POINTS)] for j in range(POINTS)]
    drawn = right.contourf(steps, steps, levels, levels=20)
    right.set(xlabel="direction 1", ylabel="direction 2", title="loss")
    figure.colorbar(drawn, ax=right)
    numbers = picture.with_suffix(".csv")
    try:
        figure.savefig(picture)
        rows = [*((place[0], "", loss) for place, loss in line), *((*place, loss) for place, loss in plane)]
        numbers.write_text("x,y,loss\n" + "".join(f"{x},{y},{loss}\n" for x, y, loss in rows), "utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"--plot: can't write '{picture}': {first_line(error)}") from None
    return [picture, numbers]
