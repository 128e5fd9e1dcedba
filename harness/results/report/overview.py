"""The first screen of a report: the verdict, a row per adapter, the worst changes, what was compared."""

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.harness.results.check.outcome import CheckResult
from holdfast.harness.results.check.printing.screen import (
    change,
    explanation,
    in_words,
    percent,
    verdict_sentence,
    what_was_compared,
    worst_group,
)
from holdfast.harness.results.check.worst_answers import in_words as reason_in_words
from holdfast.harness.results.intervals import number, with_interval
from holdfast.harness.results.leaderboard import differing_settings
from holdfast.harness.results.report.answer_table import OUTCOMES
from holdfast.harness.results.report.bars import Bar, Change, bars
from holdfast.harness.results.report.shown_text import shown_text
from holdfast.harness.results.report.sources import Source

if TYPE_CHECKING:
    import pandas as pd

ADAPTERS = 12
"""Number of adapters in the table; the others are in leaderboard.csv."""

WARNINGS = 10
"""Number of warnings that are shown."""

_WORST = 3
_DIGEST = 12


@dataclass(frozen=True, slots=True)
class AdapterRow:
    """An adapter: its scores, how they change under perturbation, and its drift; numbers are texts."""

    name: str
    clean: str
    perturbed: str
    change: str
    measured: Change
    bar: Bar | None
    drift: str
    floor: str
    above_floor: bool
    samples: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrimaryRow:
    """A primary metric of the check; numbers are texts."""

    task: str
    metric: str
    old: str
    new: str
    change: str
    bar: Bar | None
    allowed: str
    verdict: str
    explanation: str


@dataclass(frozen=True, slots=True)
class WorstChange:
    """An answer that got worse: where, its score before and now, and what changed, in words."""

    place: str
    scores: str
    words: str


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run: what it was made of and under which conditions, as pairs of a term and what it is."""

    folder: str
    facts: tuple[tuple[str, str], ...]
    adapters: tuple[tuple[str, str], ...]
    """Names and digests."""
    adapters_left_out: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The first screen.

    Attributes:
        verdict: PASS, FAIL, UNDECIDED, or empty if nothing was checked.
        sentence: The verdict in a sentence, or else what the runs show.
        about: What the check compared; empty without one.
        confidence: Confidence of the check's intervals, as in "95 %"; empty without one.
        primaries: The check's primary metrics.
        worst_group: In which group of samples the deciding metric got worst; empty if in none.
        adapters: A row per adapter, best first.
        adapters_left_out: Number of adapters without a row.
        worst: The worst changes.
        runs: What was compared.
        warnings: What is doubtful.
        warnings_left_out: Number of other warnings.
    """

    verdict: str
    sentence: str
    about: str
    confidence: str
    primaries: tuple[PrimaryRow, ...]
    worst_group: str
    adapters: tuple[AdapterRow, ...]
    adapters_left_out: int
    worst: tuple[WorstChange, ...]
    runs: tuple[ComparedRun, ...]
    warnings: tuple[str, ...]
    warnings_left_out: int


def overview(
    sources: Sequence[Source], table: "pd.DataFrame", result: CheckResult | None, hidden: Set[str]
) -> Overview:
    """Return the first screen.

    Args:
        sources: The runs.
        table: Their answers, worst first (`answer_table`).
        result: The result of the check, if there is one.
        hidden: Tasks whose texts are left out.
    """
    board, warnings = _merged_board(sources), _warnings(sources, result)
    return Overview(
        verdict=str(result.verdict) if result else "",
        sentence=_checked_sentence(result) if result else _sentence(board, _why_unranked(sources, board)),
        about=f"{result.baseline} → {result.candidate}: {what_was_compared(result)}" if result else "",
        confidence=percent(result.confidence) if result else "",
        primaries=_primaries(result) if result else (),
        worst_group=worst_group(result) if result else "",
        adapters=_adapter_rows(board[:ADAPTERS]),
        adapters_left_out=max(0, len(board) - ADAPTERS),
        worst=tuple(_checked_worst(result, hidden) if result else _worst(table, hidden)),
        runs=tuple(map(_compared, sources)),
        warnings=warnings[:WARNINGS],
        warnings_left_out=max(0, len(warnings) - WARNINGS),
    )


def _merged_board(sources: Sequence[Source]) -> list[dict[Any, Any]]:
    """Return the rows of all leaderboards, best first as far as their scores point in one direction."""
    rows = [
        row | {"label": source.labels[row["adapter"]]} for source in sources for row in source.board.to_dict("records")
    ]
    if len({row["higher_is_better"] for row in rows}) == 1:
        sign = -1 if rows[0]["higher_is_better"] else 1
        rows.sort(key=lambda row: (math.isnan(row["perturbed"]), sign * row["perturbed"]))
    return rows


def _checked_sentence(result: CheckResult) -> str:
    return verdict_sentence(result).partition(": ")[2]


def _why_unranked(sources: Sequence[Source], board: Sequence[Mapping[Any, Any]]) -> str:
    """Say why one adapter's score can't be called better than another's; empty if it can."""
    if len({row["higher_is_better"] for row in board}) > 1:
        return "higher scores are better in some, lower ones in others"
    settings = dict.fromkeys(
        name for source in sources for name in differing_settings(sources[0].folder, source.folder)
    )
    return f"their runs differ in {', '.join(settings)}" if settings else ""


def _sentence(board: Sequence[Mapping[Any, Any]], why_unranked: str) -> str:
    """Say in a sentence how the adapters hold, where no check says it."""
    scored = [row for row in board if not math.isnan(row["perturbed"])]
    if not scored:
        return "No answer to a perturbed prompt has a score"
    if why_unranked and len(scored) > 1:
        return f"{len(scored)} adapters have scores under perturbation that can't be ranked: {why_unranked}"
    best = scored[0]
    said = f"{best['label']} scores {best['perturbed']:.3f} under perturbation, {best['clean']:.3f} on clean prompts"
    if len(scored) == 1:
        return said
    sign = 1 if best["higher_is_better"] else -1
    said += f", best of {len(scored)} adapters"
    losing = [row for row in scored if sign * row["delta"] < 0]
    most = min(losing, key=lambda row: sign * row["delta"], default=None)
    return f"{said}; {most['label']} loses most ({most['delta']:+.3f})" if most else said


def _adapter_rows(board: Sequence[Mapping[Any, Any]]) -> tuple[AdapterRow, ...]:
    changes = [
        Change(row["delta"], row["delta_low"], row["delta_high"], None, bool(row["higher_is_better"])) for row in board
    ]
    return tuple(
        AdapterRow(
            name=row["label"],
            clean=number(row["clean"]),
            perturbed=number(row["perturbed"]),
            change="-" if math.isnan(row["delta"]) else with_interval(row, "delta", "+"),
            measured=measured,
            bar=bar,
            drift=number(row["max_drift"]),
            floor=number(row["noise_floor"]),
            above_floor=row["above_floor"] is True or row["above_floor"] == 1,
            samples=int(row["n"]),
            notes=tuple(_notes(row)),
        )
        for row, measured, bar in zip(board, changes, bars(changes), strict=True)
    )


def _notes(row: Mapping[Any, Any]) -> Iterator[str]:
    if row.get("has_effect") is False:
        yield "changes no logit"
    if not row["complete"]:
        yield "run not finished"


def _primaries(result: CheckResult) -> tuple[PrimaryRow, ...]:
    drawn = bars(
        [Change(each.change, each.low, each.high, each.allowed, each.higher_is_better) for each in result.primaries]
    )
    return tuple(
        PrimaryRow(
            task=each.task,
            metric=each.name,
            old=number(each.old),
            new=number(each.new),
            change=change(each),
            bar=bar,
            allowed="" if each.allowed is None else f"{each.allowed:+.3f}",
            verdict=str(each.verdict),
            explanation=explanation(each),
        )
        for each, bar in zip(result.primaries, drawn, strict=True)
    )


def _checked_worst(result: CheckResult, hidden: Set[str]) -> Iterator[WorstChange]:
    for each in result.worst[:_WORST]:
        words = _hidden_words(each.reason) if each.task in hidden else in_words(each)
        yield WorstChange(each.place, f"{each.metric} {number(each.old)} → {number(each.new)}", shown_text(words, 400))


def _worst(table: "pd.DataFrame", hidden: Set[str]) -> Iterator[WorstChange]:
    """Yield the worst answers, one per sample."""
    lost = table[(table["outcome"] == OUTCOMES[0]) & ~table["directed"]]
    for row in lost.drop_duplicates(["task", "sample"]).head(_WORST).to_dict("records"):
        severity = f"@{row['severity']}" if row["severity"] else ""
        place = f"{row['task']}/{row['sample']}, {row['perturbation']}{severity}, {row['label']}"
        reason = row["reason"].strip()
        words = _hidden_words(reason) if row["task"] in hidden else reason_in_words(reason) or "the answers differ"
        if not math.isnan(row["max_drift"]):
            words += f", drift {row['max_drift']:.2f}"
        yield WorstChange(place, f"score {number(row['clean_score'])} → {number(row['score'])}", shown_text(words, 400))


def _hidden_words(reason: str) -> str:
    """Return the kind of a reason without the words that it is about."""
    return f"{reason.split()[0]} (its text is hidden)" if reason else "the answers differ (their text is hidden)"


def _compared(source: Source) -> ComparedRun:
    manifest, config = source.manifest, source.manifest.config
    tasks = ", ".join(f"{name} ({task.samples} samples, {task.headline})" for name, task in manifest.tasks.items())
    base = config.model_args.get("pretrained") or config.model_args.get("model") or config.model
    facts = (
        ("base model", f"{base}, {manifest.base_digest[:_DIGEST]}"),
        ("tasks", tasks),
        ("perturbations", ", ".join(config.perturbations)),
        ("severity", ", ".join(config.severity)),
        ("variants", f"{manifest.variants[:_DIGEST]}, {config.repeats} per sample, seed {config.seed}"),
        ("answers", f"{len(source.answers):,}"),
        ("segments", f"{config.granularity}s, encoder {config.encoder}, comparer {config.comparer}"),
        ("backend", config.model),
        ("started", manifest.started),
        ("status", "complete" if manifest.status == "complete" else "not finished"),
    )
    adapters = tuple((source.labels[each.name], each.digest[:_DIGEST]) for each in manifest.adapters[:ADAPTERS])
    return ComparedRun(str(source.folder), facts, adapters, len(manifest.adapters) - len(adapters))


def _warnings(sources: Sequence[Source], result: CheckResult | None) -> tuple[str, ...]:
    found = [
        f"{source.folder} differs from {sources[0].folder} in {', '.join(differing)}: compare with care"
        for source in sources
        if (differing := differing_settings(sources[0].folder, source.folder))
    ]
    found += [warning for source in sources for warning in source.manifest.warnings]
    found += result.warnings if result else ()
    found += ["both sides of the check are the same adapter"] if result and result.same_adapter else []
    return tuple(dict.fromkeys(shown_text(each, 600) for each in found))
