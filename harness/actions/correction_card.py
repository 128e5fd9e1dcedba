"""What `holdfast correct` is asked and what it says it did: settings and card, as pydantic models."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.errors import UserError
from holdfast.harness.actions.subspaces import SubspaceManifest
from holdfast.harness.store.versions import versions

if TYPE_CHECKING:
    from holdfast.training.corrections import Correction

CARD = "correction_card.json"
MethodName = Literal["csulora", "safelora", "shrink", "project", "random_subspace"]
_TAKES: Mapping[str, frozenset[str]] = {
    "csulora": frozenset({"strength", "signed", "per_direction", "separable", "rank"}),
    "safelora": frozenset({"threshold", "number"}),
    "shrink": frozenset({"strength"}),
    "project": frozenset(),
    "random_subspace": frozenset({"strength", "rank", "seed"}),
}


class CorrectionSettings(BaseModel):
    """What is done to an adapter. Field names are the command line's flags; each method takes some of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: MethodName
    strength: float | None = Field(None, ge=0, allow_inf_nan=False)
    signed: bool = False
    per_direction: bool = False
    separable: bool = False
    rank: Literal["keep", "exact"] | int = "keep"
    threshold: float | None = Field(None, ge=-1, le=1)
    number: int | None = Field(None, ge=0)
    seed: int = 0


class CorrectedModule(BaseModel):
    """One module's account: energies ||dW_c||_F^2 of the parts F, L, R, O of the update, what was left of each part's
    norm, the distance ||X - dW||_F with its share of ||dW||_F, what cutting the rank cost, and the sign cosine."""

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
    """correction_card.json: what was corrected, by what, how, and what that did."""

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    settings: CorrectionSettings
    adapter: str
    adapter_digest: str
    subspace_digest: str
    base_digest: str
    aligned_digest: str
    distance: float
    relative_distance: float
    sign_cosine: float
    """The mean of the modules', weighed by the norm of what they are about: ||F||."""
    modules: list[CorrectedModule]
    kept: list[str]
    """Tensors outside of the theory (modules_to_save, biases), kept as they were."""
    versions: dict[str, str]
    seconds: float


def parse_strengths(text: str | None) -> list[float | None]:
    """`0.5,1,2` -> the numbers; [None] where none is given.

    >>> parse_strengths("0.5,1")
    [0.5, 1.0]
    """
    try:
        return [float(part) for part in text.split(",") if part.strip()] if text else [None]
    except ValueError:
        raise UserError(f"--strength: numbers are wanted, as in 0.5,1,2, not {text!r}") from None


def make_settings(method: str, strengths: Iterable[float | None], **options: Any) -> list[CorrectionSettings]:
    """Settings, one for each strength; raises UserError for values out of range and for an option that the method does
    not take."""
    from holdfast.training.method import methods

    methods.get(method)  # its error names the nearest
    if method not in _TAKES:
        raise UserError(f"--method {method} is no correction of a finished adapter; use {', '.join(_TAKES)}")
    found = []
    for strength in dict.fromkeys(strengths):
        given = {name: value for name, value in options.items() if value is not None and value is not False}
        if strength is not None:
            given["strength"] = strength
        elif "strength" in _TAKES[method]:
            given["strength"] = 1.0
        for name in given:
            if name not in _TAKES[method]:
                takes = ", ".join(f"--{other}" for other in sorted(_TAKES[method])) or "no options"
                raise UserError(f"--{name} does nothing to {method}, which takes {takes}")
        try:
            found.append(CorrectionSettings(method=method, **given))  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors()[0]
            raise UserError(f"--{first['loc'][0]}: {first['msg'].lower()}, not {first['input']!r}") from None
        if found[-1].per_direction and found[-1].separable:
            raise UserError("--per_direction and --separable exclude each other: name one of them")
        if isinstance(found[-1].rank, int) and found[-1].rank < 1:
            raise UserError(f"--rank: keep, exact or a number from 1 on, not {found[-1].rank}")
    return found


def make_card(
    adapter: str,
    digests: Mapping[str, str],
    manifest: SubspaceManifest,
    settings: CorrectionSettings,
    corrections: "Mapping[str, Correction]",
    kept: Iterable[str],
    seconds: float,
) -> CorrectionCard:
    """The card of one corrected adapter."""
    found = corrections.values()
    energy = sum(sum(each.energies) for each in found)
    distance = sum(each.distance**2 for each in found) ** 0.5
    weights = [each.energies.aligned**0.5 for each in found]
    signs = sum(each.sign_cosine * weight for each, weight in zip(found, weights, strict=True))
    return CorrectionCard(
        settings=settings,
        adapter=adapter,
        adapter_digest=digests["adapter"],
        subspace_digest=digests["subspace"],
        base_digest=manifest.base_digest,
        aligned_digest=manifest.aligned_digest,
        distance=distance,
        relative_distance=distance / energy**0.5 if energy else 0.0,
        sign_cosine=signs / sum(weights) if any(weights) else 0.0,
        modules=[_account(name, each) for name, each in corrections.items()],
        kept=sorted(kept),
        versions=versions(("torch", "safetensors", "peft")),
        seconds=round(seconds, 6),
    )


def _account(name: str, correction: "Correction") -> CorrectedModule:
    return CorrectedModule(
        name=name,
        rank=correction.factors.rank,
        energies=correction.energies._asdict(),
        attenuation=correction.attenuation._asdict(),
        relative_distance=correction.relative_distance,
        **{field: getattr(correction, field) for field in _SAME},
    )


_SAME = ("distance", "recompression_error", "sign_cosine", "cosine")
