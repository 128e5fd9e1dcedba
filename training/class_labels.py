"""Checks of a classifier's data: the number of classes, the labels and the end tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError

if TYPE_CHECKING:
    from holdfast.training.examples import Encoded, Example


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a classifier: how many there are, and their names in the order of its logits if they have any."""

    count: int
    names: tuple[str, ...] = ()

    def number(self, examples: Sequence[Example], source: str) -> list[Example]:
        """Return the examples with numbers as labels; raise UserError, naming the row, for a label of no class."""
        places = {name: i for i, name in enumerate(self.names)}
        found = []
        for row, each in enumerate(examples, 1):
            label = places.get(each.label) if isinstance(each.label, str) else each.label
            if label is None:
                known = f"its classes are {', '.join(self.names)}" if self.names else "its classes are numbered"
                raise UserError(f"{source}: row {row} has the label {each.label!r}, which the model lacks: {known}")
            found.append(replace(each, label=label))
        _check_numbers(found, self.count, source)
        return found


def read_classes(examples: Sequence[Example], config: Any, source: str) -> Classes:
    """Return the classes: those of the checkpoint's classification head, else the distinct labels.

    Names are sorted, so that the order of the rows doesn't matter.

    Args:
        examples: Labelled examples.
        config: The configuration of the base model.
        source: The data's name in error messages.

    Raises:
        UserError: If some labels are names and others numbers or, without a head, the numbers have a gap: a stray label
            such as 999 would create a head of that size.
    """
    names = {each.label for each in examples if isinstance(each.label, str)}
    row = next((i for i, each in enumerate(examples, 1) if isinstance(each.label, str) != bool(names)), None)
    if row is not None:
        raise UserError(
            f"{source}: row {row} has the label {examples[row - 1].label!r}, but other rows have names: use names or "
            "numbers in all rows"
        )
    if any(str(name).endswith("ForSequenceClassification") for name in config.architectures or ()):
        known = tuple(config.id2label[i] for i in range(config.num_labels))
        return Classes(int(config.num_labels), known if names else ())
    if names:
        return Classes(len(names), tuple(sorted(names)))
    used = {each.label for each in examples}
    missing = next(label for label in range(len(used) + 1) if label not in used)
    if missing < len(used):
        row, largest = _largest(examples)
        raise UserError(
            f"{source}: row {row} has label {largest}, but no row has label {missing}: number the classes from 0 "
            "without gaps"
        )
    return Classes(len(used))


def _check_numbers(examples: Sequence[Example], classes: int, source: str) -> None:
    """Raise UserError if a label of the data `source` is not below the model's number of classes."""
    row, largest = _largest(examples)
    if largest >= classes:
        raise UserError(
            f"{source}: the model has {classes} classes, but the data have labels up to {largest} (row {row}): "
            f"use labels from 0 to {classes - 1}, or a base model without a classification head"
        )


def check_end_tokens(rows: Sequence[Encoded], config: Any, tokenizer: Any, name: str) -> None:
    """Check that every text has exactly one end token, the position at which encoder-decoders (T5, BART) classify.

    Args:
        rows: The encoded texts.
        config: The configuration of the base model; other architectures pass.
        tokenizer: The model's tokenizer.
        name: The model's name in error messages.

    Raises:
        UserError: If a text has none or several.
    """
    if not config.is_encoder_decoder:
        return
    end = config.eos_token_id if tokenizer.eos_token_id is None else tokenizer.eos_token_id  # as the Trainer does
    for number, each in enumerate(rows, 1):
        if (count := each.ids.count(end)) != 1:
            raise UserError(
                f"--model_args: '{name}' ({config.model_type}) classifies at the end token (id {end}); row {number} "
                f"has {count or 'none'}: use a tokenizer that ends every text with exactly one"
            )


def _largest(examples: Sequence[Example]) -> tuple[int, int]:
    """Return the row number, from 1, and the label of the first row with the largest label."""
    labels = [int(each.label or 0) for each in examples]
    return labels.index(max(labels)) + 1, max(labels)
