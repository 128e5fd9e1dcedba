"""`holdfast inspect`: the geometry of an adapter, module by module, and how flat the loss is around it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.actions.flatness import Flatness, Probed, check_plot, draw_surfaces, measure_flatness
from holdfast.harness.actions.training import check_data
from holdfast.harness.models.adapter_files import read_adapter
from holdfast.harness.models.adapter_geometry import inspect_adapter
from holdfast.harness.models.checkpoint_pairs import Checkpoint
from holdfast.harness.models.checkpoints import find_checkpoint
from holdfast.harness.models.devices import check_device
from holdfast.metrics.adapters.geometry import Geometry, total
from holdfast.training.training_card import read_card


def inspect(
    name: str,
    *,
    data: str | None = None,
    base: str | None = None,
    limit: int = 32,
    plot: Path | None = None,
    device: str | None = None,
    as_json: bool = False,
) -> None:
    """Print an adapter's geometry and, with data, how flat the loss is around it.

    Args:
        name: A peft directory, a hub name or a shipped adapter.
        data: Examples to measure the flatness on.
        base: The base model; by default the one that the adapter names.
        limit: Use only the first examples of `data`.
        plot: Draw the loss around the weights into this picture.
        device: Where to run.
        as_json: Print JSON.

    Raises:
        UserError: If something can't be measured, or the adapter does not fit the base.
    """
    if plot and not data:
        raise UserError("--plot draws the loss on examples: give them with --data")
    if plot:
        check_plot(plot)
    if limit < 1:
        raise UserError(f"--limit must be >= 1, got {limit}")
    check_device(device)
    check_data({"data": data}, {})
    if base:
        find_checkpoint(base)
    _check_adapter(name)
    modules = inspect_adapter(name)
    flatness, drawn = None, []
    if base:
        _check_base(name, base)
    if data:
        adapter = read_adapter(name, allow_magnitudes=True)
        probed = Probed(name, data, base or str(adapter.config.get("base_model_name_or_path") or ""), limit, device)
        card = read_card(adapter.path)
        flatness = measure_flatness(probed, card.squared_distance if card else None)
        drawn = draw_surfaces(probed, plot) if plot else []
    if as_json:
        found = {"total": asdict(total(modules)), "modules": {key: asdict(each) for key, each in modules.items()}}
        print(json.dumps(found | ({"flatness": asdict(flatness)} if flatness else {}), indent=2))
        return
    _print_geometry(modules)
    if flatness:
        _print_flatness(flatness)
    for file in drawn:
        print(f"written to {file}")


def _check_adapter(name: str) -> None:
    """Raise UserError for a model without an adapter, as `holdfast train --full` writes."""
    folder = find_checkpoint(name, "adapter")
    if (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file():
        raise UserError(f"'{name}' is a whole model, not an adapter: inspect is for LoRA adapters")


def _check_base(name: str, base: str) -> None:
    """Raise UserError if the headers of the base's files give a module another shape than the adapter does."""
    shapes = Checkpoint(find_checkpoint(base)).shapes()
    for module, each in read_adapter(name, allow_magnitudes=True).factors.items():
        shape, its = (len(each.b), each.a.shape[1]), shapes.get(f"{module}.weight", ())
        # Conv1D stores its weights transposed; a single column is packed numbers.
        if len(its) == 2 and its[1] > 1 and shape not in (its, its[::-1]):
            raise UserError(
                f"adapter '{name}' does not fit the base '{base}': '{module}' has {shape[1]} inputs and {shape[0]} "
                f"outputs in the adapter, {its[1]} and {its[0]} in the base"
            )


def _print_geometry(modules: Mapping[str, Geometry]) -> None:
    columns = ("a_norm", "b_norm", "norm", "spectral_norm", "effective_rank", "rank")
    width = max(map(len, modules)) + 2
    print(f"{'module':<{width}}" + "".join(f"{column:>16}" for column in columns))
    for key, geometry in {**modules, "total": total(modules)}.items():
        print(f"{key:<{width}}" + "".join(_cell(asdict(geometry), column) for column in columns))


def _print_flatness(found: Flatness) -> None:
    print(f"\n{found.examples} examples, loss {found.loss:.4f}")
    print(f"{'sigma':>8}{'loss rises by':>16}{'± error':>12}")
    for each in found.sharpness:
        print(f"{each.sigma:>8g}{each.rise:>16.5f}{each.error:>12.5f}")
    print(f"largest Hessian eigenvalue: {found.largest_eigenvalue:.4g}")
    bound = found.pac_bayes
    print(f"PAC-Bayes complexity: {bound.kl:.4g} (noise {bound.sigma:g} on A and B, distance from {found.start})")
    says = "vacuous, too few examples for this complexity" if bound.bound >= 1 else f"{bound.bound:.3f}"
    print(
        f"share of wrong answer tokens: {bound.risk:.3f} measured under that noise, bound with 95 % confidence: {says}"
    )


def _cell(values: Mapping[str, float], column: str) -> str:
    value = values[column]
    return f"{value:>16}" if isinstance(value, int) else f"{value:>16.4f}"
