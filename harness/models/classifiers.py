"""Sequence classifiers as files: which checkpoints and adapters are ones, and what their classes are called."""

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.adapter_checks import PREFIX, read_config, read_shapes
from holdfast.reading import read_json
from holdfast.training.training_card import read_card

LABELS = "labels"
"""The model argument that names the classes."""

_HEAD = "ForSequenceClassification"
_OUTPUT = re.compile(r"(?:^|\.)(?:classifier|score|classification_head)(?:\.out_proj)?(?:\.modules_to_save)?\.weight$")
"""The last layer of a classification head, by the names that transformers gives it."""

_UNNAMED = re.compile(r"LABEL_(\d+)")
"""What transformers calls a class that nobody has named."""


def is_classifier(base: Path, adapters: Sequence[Adapter] = ()) -> bool:
    """Return whether a base has a classification head, or an adapter was trained with one."""
    return has_head(base) or any(_task_type(adapter) == "SEQ_CLS" for adapter in adapters)


def has_head(base: Path) -> bool:
    """Return whether a checkpoint has a sequence-classification head."""
    architectures = _config(base).get("architectures")
    return any(str(name).endswith(_HEAD) for name in architectures or ())


def classes_of(base: Path, adapters: Sequence[Adapter], model_args: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the names of the classes of each adapter (by name), in the order of its logits.

    They are what `labels` in the model arguments says (`labels=negative:neutral:positive`), else what the adapter's
    training card says, else `id2label` of the base; a class without a name is called by its number.

    Args:
        base: The directory of the base.
        adapters: The adapters of the run; the base itself, if it is one of them, has no path.
        model_args: The model arguments.

    Raises:
        UserError: If an adapter is for generation or has no trained head, the base is asked without one, or the
            adapters don't have the same classes.
    """
    mine = _base_classes(base) if has_head(base) else None
    given = tuple(part.strip() for part in str(model_args[LABELS]).split(":")) if LABELS in model_args else None
    if given is not None and (len(set(given)) < len(given) or not all(given)):
        raise UserError(f"--model_args: {LABELS} must be distinct names with colons between them, as in no:yes")
    found: dict[str, tuple[str, ...]] = {}
    for adapter in adapters:
        names = _named_classes(adapter, mine)
        if given is not None and len(given) != len(names):
            raise UserError(
                f"--model_args: {LABELS} has {len(given)} names, but '{adapter.name}' has {len(names)} classes"
            )
        if given is not None and given != names and set(given) == set(names):
            warnings.warn(
                f"{LABELS} in --model_args puts the classes of '{adapter.name}' in another order than its files do "
                f"({', '.join(names)}): unless these are wrong, its scores are",
                stacklevel=2,
            )
        found[adapter.name] = given or names
    _check_same(found)
    return found


def head_size(adapter: Adapter) -> int:
    """Return the number of classes of the head that an adapter brings; 0 if it brings none."""
    shapes = read_shapes(adapter.path) if adapter.path else {}
    sizes = [shape[0] for key, shape in shapes.items() if _OUTPUT.search(key) and ".lora_" not in key]
    return min(sizes, default=0)


def check_brought(adapter: Adapter, fresh: Sequence[str], base: str) -> None:
    """Raise UserError unless an adapter brings all weights that the base's files don't have.

    Args:
        adapter: The adapter, or the base itself.
        fresh: Names of the weights that were freshly initialised, since the base's files don't have them.
        base: The base's name in the message.
    """
    brought = {key.replace(".modules_to_save", "") for key in read_shapes(adapter.path)} if adapter.path else set()
    missing = [name for name in sorted(fresh) if f"{PREFIX}{name}" not in brought]
    if missing:
        who = f"adapter '{adapter.name}' brings none" if adapter.path else "there is no adapter that brings them"
        raise UserError(
            f"the base '{base}' has no weights for {missing[0].rpartition('.')[0]}, which would be random, and {who}: "
            "train that module with the adapter (modules_to_save), or use a base that has been trained as a classifier"
        )


def _named_classes(adapter: Adapter, mine: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the names of an adapter's classes by its files; `mine` are those of the base's own head."""
    kind, own = _task_type(adapter), head_size(adapter)
    if kind not in (None, "SEQ_CLS"):
        raise UserError(
            f"adapter '{adapter.name}' is for {kind}, but this run's model is a sequence classifier: evaluate it in a "
            "run of its own"
        )
    if not own and mine is None:
        if adapter.path is None:
            raise UserError(
                f"the base has no trained classification head, so its answers would be random: leave it "
                f"('{adapter.name}') out of --adapters, or use a checkpoint that has been trained as a classifier"
            )
        raise UserError(
            f"adapter '{adapter.name}' has no classification head, and neither has the base: its answers would be "
            "random; save the adapter with its head (modules_to_save)"
        )
    card = read_card(adapter.path) if adapter.path else None
    count = own or len(mine or ())
    if mine is not None and count != len(mine):
        raise UserError(
            f"adapter '{adapter.name}' has a head for {count} classes, but the base has {len(mine)}: use the base that "
            "it was trained on"
        )
    names = tuple(card.labels) if card and card.labels else mine or tuple(map(str, range(count)))
    if len(names) != count:
        raise UserError(f"adapter '{adapter.name}': its training card names {len(names)} classes, its head has {count}")
    return names


def _check_same(found: Mapping[str, tuple[str, ...]]) -> None:
    first, *others = found.items()
    for name, classes in others:
        if set(classes) != set(first[1]):
            raise UserError(
                f"'{first[0]}' has the classes {', '.join(first[1])}, but '{name}' has {', '.join(classes)}: evaluate "
                f"them in runs of their own, or name the classes with {LABELS}=A:B:... in --model_args"
            )


def _base_classes(base: Path) -> tuple[str, ...]:
    config = _config(base)
    named = config.get("id2label")
    if not isinstance(named, Mapping) or not named:
        return tuple(map(str, range(int(config.get("num_labels", 2)))))
    return tuple(_UNNAMED.sub(r"\1", str(named[key])) for key in sorted(named, key=int))


def _task_type(adapter: Adapter) -> str | None:
    found = read_config(adapter.name, adapter.path).get("task_type") if adapter.path else None
    return str(found) if found else None


def _config(base: Path) -> Mapping[str, Any]:
    file = base / "config.json"
    content = read_json(file) if file.is_file() else {}
    return content if isinstance(content, dict) else {}
