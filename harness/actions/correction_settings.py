"""What `holdfast correct` is asked for, and how that differs from what an earlier card says."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.actions.subspaces import SubspaceManifest
from holdfast.harness.store.versions import versions
from holdfast.training.correction_card import CorrectedModule, CorrectionCard
from holdfast.training.method import Method, get_method

if TYPE_CHECKING:
    from holdfast.training.corrections import Correction

SWEPT = "strength"
"""The setting of which several values may be given at once."""


@dataclass(frozen=True, slots=True)
class CorrectionSettings:
    """A correction and its checked settings, an instance of the method's own settings class."""

    method: Method
    values: Any

    @property
    def strength(self) -> float | None:
        """The strength, for methods that have one."""
        found: float | None = getattr(self.values, SWEPT, None)
        return found


def make_settings(method: str, **options: Any) -> list[CorrectionSettings]:
    """Check the settings of a correction.

    Args:
        method: A method that acts at the adapter (see `holdfast ls methods`).
        **options: Its settings; None is a setting left out. `strength` may be a list of numbers, or text such as
            "0.5,1,2": one result for each.

    Raises:
        UserError: For an unknown method or setting, or a value out of range.
    """
    found = get_method(method, "adapter")
    given = {name: value for name, value in options.items() if value is not None}
    swept: Iterable[float | None] = [None]
    if SWEPT in given:
        swept = dict.fromkeys(_numbers(given.pop(SWEPT)))
    strengths = [{} if strength is None else {SWEPT: strength} for strength in swept]
    return [CorrectionSettings(found, found.parse_settings({**each, **given}, "--")) for each in strengths]


def _numbers(value: Any) -> list[float]:
    """Read one number, a list of them, or text such as "0.5,1,2"."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else [value]
    try:
        found = [float(part) for part in parts if str(part).strip()]
    except (TypeError, ValueError):
        found = []
    if not found:
        raise UserError(f"--{SWEPT} must be numbers, as in 0.5,1,2, got {value!r}")
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
    """Return the card of one corrected adapter."""
    found = corrections.values()
    energy = sum(sum(each.energies) for each in found)
    distance = sum(each.distance**2 for each in found) ** 0.5
    weights = [each.energies.aligned**0.5 for each in found]
    signs = sum(each.sign_cosine * weight for each, weight in zip(found, weights, strict=True))
    return CorrectionCard(
        method=settings.method.name,
        settings=asdict(settings.values),
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


def list_differences(card: CorrectionCard, settings: CorrectionSettings, digests: Mapping[str, str]) -> list[str]:
    """List in which of its inputs and settings a card differs from these; empty if the results are the same."""
    asked = asdict(settings.values)
    differs = {
        "method": card.method != settings.method.name,
        "adapter": card.adapter_digest != digests["adapter"],
        "subspace": card.subspace_digest != digests["subspace"],
        **{name: card.settings.get(name) != value for name, value in asked.items()},
    }
    return [name for name, found in differs.items() if found]


_SAME = ("distance", "recompression_error", "sign_cosine", "cosine")


def _account(name: str, correction: "Correction") -> CorrectedModule:
    return CorrectedModule(
        name=name,
        rank=correction.factors.rank,
        energies=correction.energies._asdict(),
        attenuation=correction.attenuation._asdict(),
        relative_distance=correction.relative_distance,
        **{field: getattr(correction, field) for field in _SAME},
    )
