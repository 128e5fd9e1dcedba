"""The training card: a record of how an adapter was trained, kept next to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from holdfast.errors import UserError
from holdfast.reading import place_of, read_text
from holdfast.writing import write_text

CARD = "training_card.json"


class TrainingCard(BaseModel):
    """The content of training_card.json, next to a trained adapter.

    - `examples`: the number of examples trained on.
    - `longer_than_context`: the number that did not fit. `cut` of them had their prompts truncated at the start, the
      others were `left_out`; both are None in older cards.
    - `seconds` and `peak_memory_mib`: of the process that finished the training.
    - `metrics`: the Trainer's, and those of the last evaluation (`eval_loss`, and a classifier's `eval_accuracy`,
      `eval_macro_f1` and `eval_weighted_f1`). If training was resumed, the former cover the steps since
      `resumed_at_step`, and the mean loss is called `train_loss_since_resumed`.
    - `norms`: of every trained tensor at the end; empty for full fine-tuning.
    - `labels`: of a classifier, the names of its classes in the order of its logits, if they have any.
    - `squared_distance`: ||B||^2 + ||A - A_0||^2 over all modules: the squared distance from the initial adapter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    recipe: dict[str, Any]
    recipe_digest: str
    data_digest: str
    base_digest: str
    examples: int
    longer_than_context: int
    cut: int | None = None
    left_out: int | None = None
    methods: dict[str, dict[str, Any]] = {}
    versions: dict[str, str]
    seconds: float
    peak_memory_mib: float
    metrics: dict[str, float]
    norms: dict[str, float]
    squared_distance: float | None
    labels: list[str] | None = None

    def write(self, folder: Path) -> None:
        """Write the card to `folder` atomically."""
        write_text(folder / CARD, json.dumps(self.model_dump(mode="json"), indent=2) + "\n")


def read_card(folder: Path) -> TrainingCard | None:
    """Return the training card in an adapter's folder, or None if there is none; raises UserError if it is invalid."""
    file = folder / CARD
    if not file.is_file():
        return None
    try:
        return TrainingCard.model_validate_json(read_text(file))
    except ValidationError as error:
        where = place_of(error)
        raise UserError(f"{file} is not a valid training card: {where}: {error.errors()[0]['msg']}") from None
