"""The variants of a run: every sample under every perturbation, severity and repeat."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.records import json_line
from holdfast.perturbations import Edit, Variant, make_variant, parse, parts_of
from holdfast.tasks import Sample, Task

IDENTITY = "identity"
"""The perturbation that changes nothing: it is part of every run, since it measures the noise floor."""

Cell = tuple[str, str]
"""A perturbation and its severity."""


@dataclass(frozen=True, slots=True)
class SampleVariant:
    """A variant, whose it is, and the share of the meaning that it keeps (see validity), where that was estimated,
    with what speaks against it."""

    task: str
    sample: str
    variant: Variant
    meaning: float | None = None
    doubt: str = ""

    @property
    def cell(self) -> tuple[str, str, str]:
        """(task, perturbation, severity): the rows of the breakdown."""
        return self.task, self.variant.perturbation, self.variant.severity

    def to_json(self) -> str:
        """One line of a pack; the same variant is the same line on every machine."""
        return json_line({"task": self.task, "sample": self.sample, **asdict(self.variant)})

    @staticmethod
    def from_json(line: str) -> "SampleVariant":
        fields: dict[str, Any] = json.loads(line)
        task, sample = fields.pop("task"), fields.pop("sample")
        edits = tuple(Edit(*edit) for edit in fields.pop("edits"))
        return SampleVariant(task, sample, Variant(**fields, edits=edits))


def make_variants(config: RunConfig, tasks: Iterable[Task]) -> Iterator[SampleVariant]:
    """Every variant but the identity ones, in the order of the tasks, samples, cells and repeats; a pure function of
    the configuration and the tasks. Raises UserError as `check_settings` does."""
    check_settings(config)
    cells = [cell for cell in cells_of(config) if cell[0] != IDENTITY]
    for task in tasks:
        for sample in task.samples[: config.limit]:
            for name, severity in cells:
                for repeat in range(config.variants_per_sample):
                    variant = variant_of(task, sample, name, severity, repeat, config.seed)
                    yield SampleVariant(task.name, sample.id, variant)


def check_settings(config: RunConfig) -> None:
    """Raise UserError for settings that contradict each other or say nothing: a severity that is none or that no
    perturbation takes, a search that is over before it begins."""
    parsed = [parse(spec) for spec in config.perturbations]
    for severity in config.severity:
        try:
            parts_of(IDENTITY)[0].strength(severity)
        except UserError:
            raise UserError(
                f"--severity: unknown severity '{severity}'; use light, heavy or numbers between 0 and 1, as in 0.08"
            ) from None
    default = RunConfig.model_fields["severity"].default
    if config.severity != default and all(severity is not None for _, severity in parsed):
        raise UserError(
            f"--severity {','.join(config.severity)} says nothing: each of --perturbations "
            f"{','.join(config.perturbations)} names its own; leave out one or the other"
        )
    if config.search and config.search_budget <= config.repeats > 1:
        raise UserError(
            f"--search {config.search} tries no more variants than --repeats {config.repeats} draws anyway: "
            "N counts both, so name a higher one"
        )


def cells_of(config: RunConfig) -> list[Cell]:
    """What every sample is put through, each cell once, the noise floor first."""
    cells = {(IDENTITY, severities_of(IDENTITY, None, config)[0]): None}
    for spec in config.perturbations:
        name, severity = parse(spec)
        cells.update(dict.fromkeys((name, each) for each in severities_of(name, severity, config)))
    return list(cells)


def severities_of(name: str, severity: str | None, config: RunConfig) -> Sequence[str]:
    """The severities of one perturbation: its own, or the run's; one where strength makes no difference to it."""
    if severity is not None:
        return [severity]
    parts = parts_of(name)
    constant = len(parts) == 1 and parts[0].light == parts[0].heavy
    return [f"{parts[0].light:g}"] if constant else config.severity


def variant_of(task: Task, sample: Sample, name: str, severity: str, repeat: int, seed: int) -> Variant:
    """One variant of one sample, with what the sample says about itself."""
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
    """SHA-256 of the variants' lines: runs that cite the same digest were asked the same."""
    digest = hashlib.sha256()
    for made in variants:
        digest.update(f"{made.to_json()}\n".encode())
    return digest.hexdigest()
