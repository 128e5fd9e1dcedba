"""The normal form of a run that every format is made from."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.results.columns import described
from holdfast.harness.results.long_table import long_table
from holdfast.harness.store.lines import Line
from holdfast.harness.store.manifest import FILE, AdapterEntry, Manifest, TaskEntry
from holdfast.harness.store.records import CLEAN
from holdfast.harness.store.stored_run import open_run

CONFIDENCE = 0.95

_ALL = "all"
_HEADLINES = ("clean", "perturbed")


@dataclass(frozen=True, slots=True)
class Measured:
    """A number of a cell.

    Attributes:
        condition: The cell's perturbation and severity, as in `typos@light`; `clean` for clean prompts.
        name: A score, a drift, or `delta`, the change of the headline score.
        value: Its value; `low` and `high` are the ends of its 95 % interval, None without one.
        samples: The number of samples behind it.
        higher_is_better: Which way is good.
        in_unit: Whether it lies in [0, 1].
    """

    condition: str
    name: str
    value: float
    low: float | None
    high: float | None
    samples: int
    higher_is_better: bool
    in_unit: bool

    @property
    def interval(self) -> str:
        """Its interval in text, as in " [0.610, 1.000]"; empty without one."""
        from holdfast.harness.results.intervals import number

        return "" if self.low is None or self.high is None else f" [{number(self.low)}, {number(self.high)}]"


@dataclass(frozen=True, slots=True)
class Part:
    """An adapter on a task: its numbers, and its answers (lines of samples.jsonl, clean ones first)."""

    adapter: AdapterEntry
    task: str
    entry: TaskEntry
    numbers: tuple[Measured, ...]
    answers: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """A finished run. Lone surrogates in its texts, which no UTF-8 can hold, are written out, as in `\\ud800`."""

    folder: Path
    manifest: Manifest
    parts: tuple[Part, ...]

    @property
    def base(self) -> str:
        """The name of the base model."""
        arguments = self.manifest.config.model_args
        return str(arguments.get("pretrained", arguments.get("model", self.manifest.config.model)))

    @property
    def finished(self) -> str:
        """When the run was finished, in UTC."""
        return self.manifest.finished or self.manifest.started

    def parts_of(self, adapter: str) -> list[Part]:
        """Return the parts of one adapter."""
        return [part for part in self.parts if part.adapter.name == adapter]


def exported_run(folder: Path) -> ExportedRun:
    """Read a finished run.

    Raises:
        UserError: If the folder has no run, or the run isn't finished or was changed since.
    """
    run = open_run(folder)
    manifest = run.manifest
    if manifest.status != "complete":
        raise UserError(f"{folder} is not finished ({FILE}: {manifest.status}): repeat its command to finish it first")
    numbers = _numbers(folder)
    answers: dict[tuple[str, str], list[Line]] = {}
    for line in run.answers():
        answers.setdefault((line["adapter"], line["task"]), []).append(writable(line))
    parts = tuple(
        Part(
            adapter,
            task,
            entry,
            tuple(numbers.get((adapter.name, task), ())),
            tuple(sorted(answers.get((adapter.name, task), ()), key=_order)),
        )
        for adapter in manifest.adapters
        for task, entry in manifest.tasks.items()
    )
    return ExportedRun(folder, manifest, parts)


def condition(perturbation: str, severity: str) -> str:
    """Return what a cell is called.

    >>> condition("clean", ""), condition("typos", "light")
    ('clean', 'typos@light')
    """
    return f"{perturbation}@{severity}" if severity and perturbation != CLEAN else perturbation


def condition_of(answer: Line) -> str:
    """Return the condition of an answer."""
    return condition(answer["perturbation"], answer["severity"])


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Return a name for a file for each of these names, which may hold anything.

    >>> file_names(["base", "../a b", ".._a_b"])
    {'base': 'base', '../a b': 'a_b', '.._a_b': 'a_b-2'}
    """
    found: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for name in dict.fromkeys(names):
        plain = re.sub(r"[^\w.-]+", "_", name).strip("._")[:100] or "unnamed"
        taken[plain.lower()] += 1
        found[name] = plain if taken[plain.lower()] == 1 else f"{plain}-{taken[plain.lower()]}"
    return found


def writable(value: Any) -> Any:
    """Return a value as it is in JSON, but with lone surrogates in texts written out."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {writable(name): writable(each) for name, each in value.items()}
    return [writable(each) for each in value] if isinstance(value, (list, tuple)) else value


def _numbers(folder: Path) -> dict[tuple[str, str], list[Measured]]:
    """Return the numbers of each adapter and task for which it is known which way is good."""
    # here, so that listing the formats doesn't import scipy
    from holdfast.harness.results.breakdown import breakdown_of
    from holdfast.harness.results.summary import read_answers

    read = read_answers(folder)
    table = long_table(breakdown_of(read.answers.drop(columns="key"), read.manifest, read.excluded))
    found: dict[tuple[str, str], list[Measured]] = {}
    for row in table[table["group"] == _ALL].to_dict("records"):
        entry = read.manifest.tasks[row["task"]]
        measured = _measured(row, entry, _is_clean(row))
        if measured is not None:
            found.setdefault((row["adapter"], row["task"]), []).append(measured)
    return found


def _measured(row: dict[Any, Any], entry: TaskEntry, is_clean: bool) -> Measured | None:
    name, column = row["metric"], described(row["metric"])
    if name == entry.headline or (name in _HEADLINES and (name == CLEAN) != is_clean):
        return None  # clean and perturbed are the headline, with its interval
    if name in _HEADLINES:
        return _with_interval(row, entry.headline, entry.higher_is_better, entry.headline)
    if name in entry.scores:
        return _with_interval(row, name, entry.scores[name], name)
    if column.better == "":
        return None
    higher = entry.higher_is_better if column.better == "score" else column.better == "high"
    return _with_interval(row, name, higher, name)


def _with_interval(row: dict[Any, Any], name: str, higher: bool, described_as: str) -> Measured:
    low, high = (None if math.isnan(row[end]) else float(row[end]) for end in ("low", "high"))
    column = described(described_as)
    in_unit = column.kind == "share" or column.name.endswith("_drift") or column.name == "noise_floor"
    where = condition(row["perturbation"], row["severity"])
    return Measured(where, name, float(row["value"]), low, high, int(row["n"]), higher, in_unit)


def _is_clean(row: dict[Any, Any]) -> bool:
    return bool(row["perturbation"] == CLEAN)


def _order(answer: Line) -> tuple[bool, str, str, str, int]:
    where = answer["perturbation"], answer["severity"], answer["sample"], answer["repeat"]
    return answer["perturbation"] != CLEAN, *where
