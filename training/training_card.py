"""The training card: what was done, for whoever finds the adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from holdfast.errors import UserError

CARD = "training_card.json"


class TrainingCard(BaseModel):
    """The content of training_card.json, beside a trained adapter.

    `examples` were trained on; `longer_than_context` did not fit: `cut` of them lost their prompt's beginning, the
    others were `left_out` (None in cards from before the two were told apart); `seconds` and `peak_memory_mib` are the
    process's; `metrics` are the Trainer's, and of a training that was resumed those of its last stretch, from
    `resumed_at_step` on, whose mean loss is called `train_loss_since_resumed`; `norms` are of every trained tensor at
    the end (none for a whole model); `squared_distance` is ||B||^2 + ||A - A_0||^2 over all modules, the adapter's from
    its initial point.
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

    def write(self, folder: Path) -> None:
        """Replace the card in `folder` in one step."""
        temporary = folder / f"{CARD}.tmp"
        temporary.write_text(json.dumps(self.model_dump(mode="json"), indent=2) + "\n", "utf-8")
        temporary.replace(folder / CARD)


def read_card(folder: Path) -> TrainingCard | None:
    """The card beside an adapter, if there is one; raises UserError for one that can't be read."""
    file = folder / CARD
    if not file.is_file():
        return None
    try:
        return TrainingCard.model_validate_json(file.read_text("utf-8"))
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "its JSON"
        raise UserError(f"{file} is no training card of this version: {where}: {error.errors()[0]['msg']}") from None
