"""The robustness card holdfast.json: what a run measured of one adapter, and on what."""

import math
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.errors import UserError
from holdfast.harness.results.export.exported_run import ExportedRun, Measured, Part, writable
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.reading import SETTINGS_LIMIT, place_of, read_text
from holdfast.suggestions import did_you_mean

FILE = "holdfast.json"
BEGINNING = rb'\{\s*"title": "Holdfast robustness card"'
"""How the file of a card begins."""

_WORST = 3
_BESIDE_SCORES = ("delta", "max_drift", "break_rate", "noise_floor")
_NOT_ASKED_FOR = {"output_path", "max_requests", "distributed", "ray_address", "replicas", "gpus_per_replica", "device"}
"""Settings that say where a run was made, not what was measured."""

_TOLERANCE = 1e-6


class CardNumber(BaseModel):
    """A number with its 95 % interval (null without one), and the number of samples behind it.

    `condition` is the perturbation and its severity, as in `typos@light`; `clean` for clean prompts and `identity@0`
    for prompts asked again. `name` is a score, a drift, or `delta`, the change of the task's headline score.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    condition: str
    name: str
    value: float = Field(allow_inf_nan=False)
    low: float | None = Field(allow_inf_nan=False)
    high: float | None = Field(allow_inf_nan=False)
    samples: int
    higher_is_better: bool


class CardTask(BaseModel):
    """A task: its headline score, and the digest of its samples and settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    headline: str
    samples: int
    digest: str


class RobustnessCard(BaseModel):
    """The content of holdfast.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Literal["Holdfast robustness card"] = "Holdfast robustness card"
    schema_version: Literal[1] = 1
    adapter: str
    adapter_digest: str
    """SHA-256 of the adapter's files."""
    adapter_scale: float
    base: str
    base_digest: str
    """SHA-256 of the base's files."""
    tasks: dict[str, CardTask]
    perturbations: list[str]
    severity: list[str]
    pack: str | None
    variants: str
    """SHA-256 of all variants: equal digests mean equal prompts."""
    numbers: list[CardNumber]
    worst: list[CardNumber]
    """The conditions in which the headline score gets worse, worst first; three at most."""
    break_threshold: float
    encoder: str
    samples_sha256: str | None
    """SHA-256 of the run's answers."""
    started: str
    versions: dict[str, str]
    command: str
    """What makes the run again."""


def card_of(run: ExportedRun, adapter: str) -> RobustnessCard:
    """Return the card of an adapter of a run; raises UserError if the run doesn't have it."""
    parts, manifest = run.parts_of(adapter), run.manifest
    if not parts:
        known = [each.name for each in manifest.adapters]
        raise UserError(f"{run.folder} has no adapter '{adapter}'{did_you_mean(adapter, known)}")
    numbers = [_number(part, each) for part in parts for each in part.numbers if _is_shown(part, each)]
    changed = (each for each in numbers if each.name == "delta" and not each.condition.startswith(IDENTITY))
    lost = sorted((each for each in changed if _gain(each) < 0), key=_gain)
    return RobustnessCard(
        adapter=writable(adapter),
        adapter_digest=parts[0].adapter.digest,
        adapter_scale=parts[0].adapter.scale,
        base=writable(run.base),
        base_digest=manifest.base_digest,
        tasks={
            writable(part.task): CardTask(
                headline=part.entry.headline, samples=part.entry.samples, digest=part.entry.digest
            )
            for part in parts
        },
        perturbations=manifest.config.perturbations,
        severity=manifest.config.severity,
        pack=manifest.config.pack,
        variants=manifest.variants,
        numbers=numbers,
        worst=lost[:_WORST],
        break_threshold=manifest.config.break_threshold,
        encoder=manifest.config.encoder,
        samples_sha256=manifest.samples_sha256,
        started=manifest.started,
        versions=manifest.versions,
        command=writable(command_of(manifest.config)),
    )


def read_robustness_card(file: Path) -> RobustnessCard:
    """Return the card in a file; raises UserError if there is none that this version reads."""
    text = read_text(file, "robustness card", limit=SETTINGS_LIMIT)
    try:
        return RobustnessCard.model_validate_json(text)
    except ValidationError as error:
        raise UserError(
            f"{file} is not a robustness card of this version ({place_of(error)}): write it again with holdfast card"
        ) from None


def differences(card: RobustnessCard, found: RobustnessCard) -> Iterator[str]:
    """Yield a line for each value of a card that differs from what the run gives."""
    yield from _differing("", _by_name(card), _by_name(found))


def command_of(config: RunConfig) -> str:
    """Return the command that makes a run with this configuration.

    >>> command_of(RunConfig(adapters=["base"], log_samples=True, limit=5))
    'holdfast run --adapters base --limit 5 --log_samples'
    """
    words = ["holdfast", "run"]
    for name, value in config.model_dump(mode="json", exclude_defaults=True, exclude=_NOT_ASKED_FOR).items():
        if value is True:
            words.append(f"--{name}")
        elif value is not None:
            words += [f"--{name}", _flag_value(value)]
    return shlex.join(words)


def _flag_value(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={_flag_value(each)}" for name, each in value.items() if each is not None)
    if isinstance(value, list):
        return ",".join(map(_flag_value, value))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\n", "\\n").replace("\t", "\\t")


def _is_shown(part: Part, number: Measured) -> bool:
    return number.name in part.entry.scores or number.name == part.entry.headline or number.name in _BESIDE_SCORES


def _number(part: Part, each: Measured) -> CardNumber:
    return CardNumber(
        task=writable(part.task),
        condition=each.condition,
        name=each.name,
        value=each.value,
        low=each.low,
        high=each.high,
        samples=each.samples,
        higher_is_better=each.higher_is_better,
    )


def _gain(change: CardNumber) -> float:
    return change.value if change.higher_is_better else -change.value


def _by_name(card: RobustnessCard) -> dict[str, Any]:
    """Return the content of a card, with its numbers by what they are of."""
    content = card.model_dump(mode="json")
    for field in ("numbers", "worst"):
        content[field] = {f"{each['task']} {each['condition']} {each['name']}": each for each in content[field]}
    return content


def _differing(place: str, card: Any, found: Any) -> Iterator[str]:
    if isinstance(card, Mapping) and isinstance(found, Mapping):
        for name in {**card, **found}:
            where = f"{place}: {name}" if place else name
            if name not in card:
                yield f"{where} is missing from the card"
            elif name not in found:
                yield f"{where} is not in the run"
            else:
                yield from _differing(where, card[name], found[name])
    elif _are_numbers(card, found):
        if not math.isclose(card, found, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            yield f"{place} is {card:g} on the card, {found:g} in the run"
    elif card != found:
        yield f"{place} is {card!r} on the card, {found!r} in the run"


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def places_of(card: RobustnessCard) -> list[tuple[str, str]]:
    """Return the tasks and conditions of a card in the order of its table: clean, asked again, then the others."""
    places = dict.fromkeys((each.task, each.condition) for each in card.numbers)
    return sorted(places, key=lambda place: (place[0], place[1] != CLEAN, not place[1].startswith(IDENTITY)))
