"""How flat the loss is around an adapter: sharpness, curvature, a PAC-Bayes bound, and pictures."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
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
from holdfast.writing import atomic_path, check_own_file, write_text

if TYPE_CHECKING:
    from torch import Tensor

    from holdfast.training.examples import Example

SIGMAS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Scales of the weight noise, relative to each row's norm."""

ADAPTER_SIGMAS = (0.003, 0.01, 0.03)
"""Scales of the noise on A and B among which the PAC-Bayes bound chooses."""

FEW = 8
"""Number of examples for what takes many passes or much memory: curvature, surfaces, the draws of the bound's risk."""

DRAWS, RISK_DRAWS = 5, 32
REACH, POINTS = 0.5, 15
"""How far surfaces reach from the weights, in row norms, and the number of points along each direction."""

_COLUMNS = "x,y,loss\n"
_NOTHING = rb"(?!)"
"""A regular expression that nothing matches."""


@dataclass(frozen=True, slots=True)
class Flatness:
    """What `holdfast inspect --data` measures.

    `start` is the point from which the bound measures the adapter's distance: its initial point, if `holdfast train`
    recorded it, or zero.
    """

    examples: int
    loss: float
    sharpness: tuple[Sharpness, ...]
    largest_eigenvalue: float
    pac_bayes: Bound
    start: str


class Probed:
    """The loss of a model on examples when some of its matrices are replaced.

    These are the matrices under the adapter or, without one, all linear layers except the output embeddings.
    """

    def __init__(self, adapter: str | None, data: str, base: str, limit: int, device: str | None = None) -> None:
        from holdfast.training.examples import encode_rows, fit_to_context
        from holdfast.training.loop.batches import Collator
        from holdfast.training.noise.weights.layers import adapted_layers, left_out
        from holdfast.training.noise.weights.parameters import adapted_parameters

        examples = _examples(data)[:limit]
        _check_writes(base)
        found = find_base(base)
        chosen = find_adapters([adapter], found) if adapter else []
        # Eager attention, because the fast kernels have no second derivative.
        args = {"pretrained": base, "attn_implementation": "eager", "dtype": "float32"}
        loaded = load(BackendOptions(args, None, device), chosen)
        self.model, tokenizer = loaded.model, loaded.tokenizer
        self.seq2seq = loaded.prompting.seq2seq
        encoded = encode_rows(examples, tokenizer, data, seq2seq=self.seq2seq)
        self.rows = fit_to_context(encoded, loaded.prompting.max_length, "cut")[0]
        start = getattr(self.model.config, "decoder_start_token_id", 0) or 0
        self._collator = Collator(tokenizer.pad_token_id, "seq2seq" if self.seq2seq else "causal", start)
        self._places = {id(parameter): name for name, parameter in self.model.named_parameters()}
        head = self.model.get_output_embeddings()
        layers = adapted_layers(self.model, all_linear=adapter is None)
        self.layers = {layer.name: layer for layer in layers if layer.base is not head}
        experts = [each.name.removeprefix("base_model.model.") for each in adapted_parameters(self.model)]
        if adapter and (names := [*left_out(self.model), *experts]):
            warnings.warn(f"flatness is measured on linear layers only, not on {', '.join(names[:4])}", stacklevel=3)
        if not self.layers:
            raise UserError(f"adapter '{adapter}' changes no linear layer: there are no weights to perturb")
        self.weights = {name: layer.weight() for name, layer in self.layers.items()}
        self.norms = {name: layer.row_norms() for name, layer in self.layers.items()}
        self.factors = {name: p.detach() for name, p in self.model.named_parameters() if ".lora_" in name}

    def loss(self, weights: Mapping[str, Tensor], rows: Sequence[Any] | None = None) -> Tensor:
        """Return the mean loss per example with these matrices (m, n) in place of the model's."""
        from holdfast.training.loop.task_loss import task_loss

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
        """Return the same on the first few examples."""
        return self.loss(weights, self.rows[:FEW])

    def error(self, sigma: float, seed: int) -> float:
        """Return the share of wrong answer tokens, averaged over a few random examples, under N(0, sigma^2) on A, B."""
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
    """Read the examples of a file; raises UserError if they have labels."""
    from holdfast.training.examples import read_examples

    examples = read_examples(data)
    if any(each.label is not None for each in examples):
        raise UserError(
            f"--data '{data}' has labels, but flatness is measured on prompts and completions only; without --data, "
            "inspect also works on a classifier's adapter"
        )
    return examples


def _check_writes(base: str) -> None:
    """Raise UserError for a base that generates no text."""
    from holdfast.training.base_model import is_encoder

    _, config, _ = open_checkpoint(BackendOptions({"pretrained": base}), reads=True)
    if is_encoder(config):
        raise UserError(
            f"the base '{base}' ({config.model_type}) is an encoder, but flatness is measured on generated "
            "text: remove --data"
        )


def measure_flatness(probed: Probed, squared_distance: float | None) -> Flatness:
    """Measure sharpness, curvature and the bound; `squared_distance` from the initial point, None if unknown."""
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


def check_plot(picture: Path) -> None:
    """Raise UserError unless a picture and its numbers can be written, before anything is computed.

    A picture that is there already is only replaced if its numbers are beside it, which are written first.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    formats = FigureCanvasBase.get_supported_filetypes()
    if picture.suffix.removeprefix(".").lower() not in formats:
        raise UserError(
            f"--plot '{picture}': the name must end in one of {', '.join(sorted(formats))}, such as loss.png"
        )
    numbers = picture.with_suffix(".csv")
    check_own_file(numbers, _COLUMNS.encode(), "--plot")
    is_ours = numbers.exists() and numbers.stat().st_size
    check_own_file(picture, b"" if is_ours else _NOTHING, "--plot")


def draw_surfaces(probed: Probed, picture: Path) -> list[Path]:
    """Draw the loss along one and two row-normalised directions, and write the numbers as CSV next to the picture."""
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
    rows = [*((place[0], "", loss) for place, loss in line), *((*place, loss) for place, loss in plane)]
    write_text(numbers, _COLUMNS + "".join(f"{x},{y},{loss}\n" for x, y, loss in rows))
    with atomic_path(picture) as temporary:
        figure.savefig(temporary, format=picture.suffix.removeprefix("."))
    return [picture, numbers]
