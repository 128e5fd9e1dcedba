"""A classifier's data: how many classes there are, and whether labels and texts are such as the model can take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError

if TYPE_CHECKING:
    from holdfast.training.examples import Encoded, Example


def classes_of(examples: Sequence[Example], config: Any, source: str) -> int:
    """How many classes to tell apart: as many as the checkpoint's head, else one for each label in `source`.

    Raises UserError for labels that the head does not have and, without a head, for labels that leave one out: a stray
    number would make a head of its size.
    """
    if any(str(name).endswith("ForSequenceClassification") for name in config.architectures or ()):
        check_labels(examples, config.num_labels, source)
        return int(config.num_labels)
    used = {each.label for each in examples}
    missing = next(label for label in range(len(used) + 1) if label not in used)
    if missing < len(used):
        row, largest = _largest(examples)
        raise UserError(
            f"{source}: row {row} has the label {largest}, but no row has the label {missing}: number the classes from "
            "0 on and leave none out"
        )
    return len(used)


def check_labels(examples: Sequence[Example], classes: int, source: str) -> None:
    """Raise UserError for a label beyond those of a model that tells so many classes apart."""
    row, largest = _largest(examples)
    if largest >= classes:
        raise UserError(
            f"{source}: the model tells {classes} classes apart, the data have labels up to {largest} (row {row}): "
            f"give it labels from 0 to {classes - 1}, or take a base without a head for classes"
        )


def check_ends(rows: Sequence[Encoded], config: Any, tokenizer: Any, name: str) -> None:
    """Raise UserError for a text without its one end token, at which encoder-decoders (T5, BART) classify."""
    if not config.is_encoder_decoder:
        return
    end = config.eos_token_id if tokenizer.eos_token_id is None else tokenizer.eos_token_id  # as the Trainer has it
    for number, each in enumerate(rows, 1):
        if (count := each.ids.count(end)) != 1:
            raise UserError(
                f"--model_args: '{name}' ({config.model_type}) classifies at the end token (id {end}); row {number} "
                f"has {count or 'none'}: use a tokenizer that ends every text with exactly one"
            )


def _largest(examples: Sequence[Example]) -> tuple[int, int]:
    """(row, label) of the first of the largest labels."""
    labels = [each.label or 0 for each in examples]
    return labels.index(max(labels)) + 1, max(labels)
