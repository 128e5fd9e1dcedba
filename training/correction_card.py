"""The correction card: a record of how an adapter was corrected, kept next to it."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from holdfast.errors import UserError
from holdfast.reading import place_of, read_text

CARD = "correction_card.json"


class CorrectedModule(BaseModel):
    """The account of one module.

    Attributes:
        energies: ||dW_c||_F^2 of the parts F, L, R, O of the update.
        attenuation: The share of each part's norm that is left.
        distance: ||X - dW||_F; `relative_distance` is its share of ||dW||_F.
        recompression_error: Frobenius norm of what truncating the rank took away.
        sign_cosine: cos(U^T dW V, S); near -1 the update undoes the alignment.
        cosine: SafeLoRA's cos(C dW, dW).
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    rank: int
    energies: dict[Literal["aligned", "left", "right", "off"], float]
    attenuation: dict[Literal["aligned", "left", "right", "off"], float]
    distance: float
    relative_distance: float
    recompression_error: float
    sign_cosine: float
    cosine: float | None = None


class CorrectionCard(BaseModel):
    """correction_card.json: what was corrected, by which method and settings, and what that did."""

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[2] = 2
    method: str
    settings: dict[str, Any]
    """Every setting of the method, defaults included."""
    adapter: str
    adapter_digest: str
    subspace_digest: str
    base_digest: str
    aligned_digest: str
    distance: float
    relative_distance: float
    sign_cosine: float
    """The mean over modules, weighted by ||F||."""
    modules: list[CorrectedModule]
    kept: list[str]
    """Tensors and modules that no correction covers (modules_to_save, biases, output head), kept as they were."""
    versions: dict[str, str]
    seconds: float


def read_correction(folder: Path) -> CorrectionCard | None:
    """Return the correction card in an adapter's folder, or None if there is none; raise UserError if it is invalid."""
    if not (folder / CARD).is_file():
        return None
    try:
        return CorrectionCard.model_validate_json(read_text(folder / CARD))
    except ValidationError as error:
        raise UserError(
            f"{folder / CARD} was edited or written by a different version of Holdfast ({place_of(error)}): "
            "restore or delete it"
        ) from None
