"""The variants of a run: every sample under every perturbation, severity and repeat."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from pydantic import ConfigDict, TypeAdapter, ValidationError

from holdfast.errors import UserError
from holdfast.harness.plan.shaping import Shaper, reshapes
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.lines import EditFields
from holdfast.harness.store.presets import PRESETS
from holdfast.harness.store.records import IDENTITY, json_line
from holdfast.perturbations import Edit, Perturbation, Variant, make_variant, parse, parts_of
from holdfast.reading import parse_json
from holdfast.tasks import Sample, Task, limited

Cell = tuple[str, str]
"""A perturbation and its severity."""


@dataclass(frozen=True, slots=True)
class SampleVariant:
    """A variant of a task's sample."""

    task: str
    sample: str
    variant: Variant
    meaning: float | None = None
    """Estimated share, in [0, 1], of the prompt's meaning that the variant keeps (see `validity`); None if unknown."""
    doubt: str = ""
    """The main reason why `meaning` is below 1."""

    @property
    def cell(self) -> tuple[str, str, str]:
        """(task, perturbation, severity), as in the rows of the breakdown."""
        return self.task, self.variant.perturbation, self.variant.severity

    def to_json(self) -> str:
        """Return the variant as one line of a pack; equal variants give equal lines on every machine."""
        return json_line({"task": self.task, "sample": self.sample, **asdict(self.variant)})

    @staticmethod
    def from_json(line: str, where: str) -> "SampleVariant":
        """Read one line of a pack; raises UserError, naming where the line is, if it isn't one."""
        fields = parse_json(line, where)
        if not isinstance(fields, dict) or {name: type(value) for name, value in fields.items()} != _FIELDS:
            raise UserError(f"{where} is not a variant of a pack: it needs {', '.join(_FIELDS)}, of the right types")
        task, sample = fields.pop("task"), fields.pop("sample")
        try:
            edits = tuple(Edit(*edit) for edit in _EDITS.validate_python(fields.pop("edits")))
        except ValidationError:
            raise UserError(f"{where}: edits must be lists of position, removed and inserted text") from None
        return SampleVariant(task, sample, Variant(**fields, edits=edits))


_FIELDS = {
    **dict.fromkeys(("task", "sample", "text", "perturbation", "severity"), str),
    "repeat": int,
    "edits": list,
    "edit_rate": float,
}
"""The fields of a line of a pack, with their types in JSON."""

_EDITS = TypeAdapter(list[EditFields], config=ConfigDict(strict=True))


def make_variants(config: RunConfig, tasks: Iterable[Task]) -> Iterator[SampleVariant]:
    """Yield every variant except the identity ones, in the order of tasks, samples, cells and repeats.

    The variants depend only on the configuration and the tasks. Raises UserError like `check_settings`.
    """
    check_settings(config)
    cells = [cell for cell in cells_of(config) if cell[0] != IDENTITY]
    for task in tasks:
        shaper = Shaper(task, config.seed)
        for sample in limited(task, config.limit):
            for name, severity in cells:
                if reshapes(name):  # no random choice is left, so that repeats would be equal
                    yield SampleVariant(task.name, sample.id, shaper.variant(sample, name, severity))
                    continue
                for repeat in range(config.variants_per_sample):
                    variant = variant_of(task, sample, name, severity, repeat, config.seed)
                    yield SampleVariant(task.name, sample.id, variant)


def check_settings(config: RunConfig) -> None:
    """Raise UserError for an unknown severity, and for settings without effect.

    `--severity` has no effect if every perturbation names its own, and a search needs a budget above the repeats.
    """
    parsed = [parse(spec) for spec in config.perturbations]
    for severity in config.severity:
        try:
            parts_of(IDENTITY)[0].strength(severity)
        except UserError:
            raise UserError(
                f"--severity: unknown severity '{severity}'; use light, heavy or a number between 0 and 1, as in 0.08"
            ) from None
    unasked = RunConfig.model_fields["severity"].default, PRESETS.get(config.preset or "", {}).get("severity")
    if config.severity not in unasked and all(severity is not None for _, severity in parsed):
        raise UserError(
            f"--severity {','.join(config.severity)} has no effect, since each of --perturbations "
            f"{','.join(config.perturbations)} sets its own: omit one or the other"
        )
    if config.search and config.search_budget <= config.repeats > 1:
        raise UserError(
            f"--search {config.search} has no effect, since --repeats {config.repeats} already draws as many variants: "
            "increase N, which includes them"
        )


def cells_of(config: RunConfig) -> list[Cell]:
    """Return each (perturbation, severity) of a run once, the noise floor first."""
    cells = {(IDENTITY, severities_of(IDENTITY, None, config)[0]): None}
    for spec in config.perturbations:
        name, severity = parse(spec)
        cells.update(dict.fromkeys((name, each) for each in severities_of(name, severity, config)))
    return list(cells)


def severities_of(name: str, severity: str | None, config: RunConfig) -> Sequence[str]:
    """Return a perturbation's own severity or else the run's; only one if strength makes no difference to it."""
    parts = parts_of(name)
    if parts[0].reshapes:
        return _shapes(parts[0], [severity] if severity else config.severity)
    if severity is not None:
        return [severity]
    constant = len(parts) == 1 and parts[0].light == parts[0].heavy
    return [f"{parts[0].light:g}"] if constant else config.severity


def _shapes(perturbation: Perturbation, severities: Sequence[str]) -> list[str]:
    """Return the shapes #1, #2, ... that severities ask for: as many as the largest number says, or a single one."""
    single = [severity for severity in severities if severity.startswith("#")]
    named = [severity for severity in severities if severity in ("light", "heavy") or _is_whole(severity)]
    most = int(max(map(perturbation.strength, named), default=0 if single else perturbation.light))
    return list(dict.fromkeys([f"#{i}" for i in range(1, most + 1)] + single))


def _is_whole(severity: str) -> bool:
    return severity.isdecimal() and int(severity) > 0


def variant_of(task: Task, sample: Sample, name: str, severity: str, repeat: int, seed: int) -> Variant:
    """Make a variant of a sample, using the protected spans and paraphrases in its metadata."""
    return make_variant(
        sample.content,
        task=task.name,
        sample_id=sample.id,
        perturbation=name,
        severity=severity,
        repeat=repeat,
        seed=seed,
        protect=tuple(sample.metadata.get("protect", ())),
        paraphrases=tuple(sample.metadata.get("paraphrases", ())),
    )


def digest_of_variants(variants: Iterable[SampleVariant]) -> str:
    """Return the SHA-256 of the variants' lines; runs with equal digests have equal prompts."""
    digest = hashlib.sha256()
    for variant in variants:
        digest.update(f"{variant.to_json()}\n".encode())
    return digest.hexdigest()
