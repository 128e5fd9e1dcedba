"""Summarise a run's answers in two tables: the breakdown (a row per cell) and the leaderboard (a row per adapter)."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.plan.validity import EXCLUDED, count_excluded
from holdfast.harness.results.answer_frame import CHANGED, KEY, answer_frame
from holdfast.harness.results.curves import add_curves
from holdfast.harness.results.long_table import long_table
from holdfast.harness.results.spreadsheet import csv_text
from holdfast.harness.results.statistics import (
    FEWEST,
    Values,
    clearly_positive,
    column_means,
    mean_intervals,
    proportion_interval,
)
from holdfast.harness.store.manifest import Manifest
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.harness.store.stored_run import EDITED, open_run
from holdfast.metrics.drift_columns import DRIFTS
from holdfast.perturbations import expectation, parse
from holdfast.writing import write_text

if TYPE_CHECKING:
    import pandas as pd

NEAR_ZERO = 0.05
"""Clean scores below this give no performance drop rate, which would mostly be noise."""

_MEASURES = ("repeat", "score", "broke", "directed", "edited", "edit_rate", "truncated", "tokens", "reason", "encoder")
SAFETY = ("attack_success", "over_refusal")
"""Scores that the leaderboard has beside the headline."""

CELL = ["adapter", "task", "perturbation", "severity"]


def summarise(folder: Path) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Write the tables of the run in `folder`: breakdown.csv, cells.csv (the same in long form) and leaderboard.csv.

    Returns:
        The breakdown and the leaderboard; raises like `tables_of`.
    """
    breakdown, leaderboard = tables_of(folder)
    tables = {"breakdown": breakdown, "cells": long_table(breakdown), "leaderboard": leaderboard}
    for name, table in tables.items():
        write_text(folder / f"{name}.csv", csv_text(table))
    return breakdown, leaderboard


def tables_of(folder: Path) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Return the breakdown and the leaderboard of a run, which may be interrupted.

    Raises:
        UserError: If `folder` has no run, or the run has no answers yet.
    """
    run = open_run(folder)
    manifest, answers = run.manifest, answer_frame(run).drop(columns="key")
    excluded = count_excluded(folder)
    if unknown := {task for task, *_ in excluded} - manifest.tasks.keys():
        raise UserError(f"{folder / EXCLUDED}: task '{min(unknown)}' is not in run.json: {EDITED}")
    return _breakdown(answers, manifest, excluded), _leaderboard(answers, manifest, excluded)


def _counting(answers: "pd.DataFrame") -> "pd.DataFrame":
    """Return the answers that count; where a change is expected, these are the answers to edited prompts."""
    return answers[answers["edited"].astype(bool) | ~answers["directed"]]


def _breakdown(answers: "pd.DataFrame", manifest: Manifest, excluded: Counter[tuple[str, ...]]) -> "pd.DataFrame":
    """Return one row per (adapter, task, perturbation, severity), including the clean answers."""
    import pandas as pd

    clean = answers[answers["perturbation"] == CLEAN].set_index(KEY)["score"]
    again = _asked_again(answers)
    floors = again.groupby(level=KEY[:2]).mean()
    extra = [name for name in answers if name not in {*KEY, *CELL, *_MEASURES, *DRIFTS}]
    groups: dict[Any, pd.DataFrame] = dict(iter(answers.groupby(CELL, sort=False)))
    for adapter in manifest.adapters:
        groups |= {(adapter.name, *cell): answers[:0] for cell in excluded if (adapter.name, *cell) not in groups}
    rows: list[dict[str, Any]] = []
    for cell, group in groups.items():
        row: dict[str, Any] = dict(zip(CELL, cell, strict=True))
        adapter, task, perturbation, _ = cell
        row["metric"] = manifest.tasks[task].headline
        row["expects"] = "" if perturbation in (CLEAN, IDENTITY) else expectation(perturbation)
        row |= _aggregated(_counting(group), clean, manifest, perturbed=perturbation != CLEAN)
        row |= _break_or_change(row, directed=row["expects"] == CHANGED)
        row["noise_floor"] = floors.get((adapter, task), np.nan) if perturbation != CLEAN else np.nan
        row["above_floor"] = _above_floor(_counting(group), again) if row["expects"] else np.nan
        row["excluded"] = _share(excluded[cell[1:]], len(_drawn(group, manifest)))
        row |= {name: group[name].mean() for name in ("edited", "edit_rate", "truncated")}
        row["reasons"] = _counted(reason.split()[0] for reason in group["reason"] if reason.strip())
        row["encoder"] = _counted(name for name in group["encoder"] if name)
        row["mean_tokens"] = group["tokens"].mean()
        row |= {str(name): group[name].mean() for name in extra}
        rows.append(row)
    rows.sort(key=_order(manifest))
    add_curves(rows, _counting(_for_means(answers, manifest)))
    return pd.DataFrame(rows).round(6)


def _aggregated(
    group: "pd.DataFrame", clean: "pd.Series[float]", manifest: Manifest, *, perturbed: bool
) -> dict[str, Any]:
    """Return the columns for the mean over each sample's variants and, if requested, for its worst variant.

    Variants found by a search count only for the worst: a mean over variants chosen to do damage means nothing.
    """
    config, higher = manifest.config, _higher_is_better(manifest)
    row = _comparison(_per_sample(_for_means(group, manifest), clean, "mean"), perturbed=perturbed, higher=higher)
    if "worst" in config.aggregate or config.search:
        worst = _comparison(_per_sample(group, clean, "min" if higher else "max"), perturbed=perturbed, higher=higher)
        for end in ("", "_low", "_high"):
            row[f"worst{end}"] = worst[f"perturbed{end}"]
            row[f"worst_max_drift{end}"] = worst[f"max_drift{end}"]
    return row


def _break_or_change(row: dict[str, Any], *, directed: bool) -> dict[str, float]:
    """Return the columns that differ by expectation: drifted answers are breaks or, where expected, changes."""
    columns: dict[str, float] = {}
    for end in ("", "_low", "_high"):
        columns[f"changed_rate{end}"] = row[f"break_rate{end}"] if directed else np.nan
        if directed:
            columns |= {
                f"{name}{end}": np.nan
                for name in ("break_rate", "any_break_rate", "worst", "worst_max_drift")
                if f"{name}{end}" in row
            }
    return columns


def _for_means(answers: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """Return the answers for means: those to the first `repeats` random variants of each sample.

    Random search draws more variants; if the first ones were excluded, the next take their place, so that every sample
    with a worst variant also has a mean.
    """
    config, drawn = manifest.config, _drawn(answers, manifest)
    if config.variants_per_sample == config.repeats:
        return drawn
    turn = drawn.sort_values("repeat", kind="stable").groupby([*CELL, "sample"], sort=False).cumcount()
    return drawn[turn.reindex(drawn.index) < config.repeats]


def _drawn(group: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """Return the answers to variants drawn at random rather than found by greedy search."""
    return group[group["repeat"] < manifest.config.variants_per_sample]


def _counted(words: Iterable[str]) -> str:
    """Return the words with counts, as in `number 12, negation 3`, most frequent first; a single word has none."""
    counts = Counter(words).most_common()
    return counts[0][0] if len(counts) == 1 else ", ".join(f"{word} {count}" for word, count in counts)


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else 0.0


def _order(manifest: Manifest) -> Callable[[dict[str, Any]], tuple[int, ...]]:
    """Return a sort key that puts adapters, tasks, perturbations and severities in the configuration's order."""
    config = manifest.config
    specs = [parse(spec) for spec in config.perturbations]
    perturbations = [CLEAN, IDENTITY, *(name for name, _ in specs)]
    severities = [*config.severity, *(severity for _, severity in specs)]

    def place(row: dict[str, Any]) -> tuple[int, ...]:
        severity = severities.index(row["severity"]) if row["severity"] in severities else 0
        return (
            [adapter.name for adapter in manifest.adapters].index(row["adapter"]),
            list(manifest.tasks).index(row["task"]),
            perturbations.index(row["perturbation"]),
            severity,
        )

    return place


def _asked_again(answers: "pd.DataFrame") -> "pd.Series[float]":
    """Return the drift of each sample whose prompt was asked again unchanged, by adapter, task and sample."""
    return answers[answers["perturbation"] == IDENTITY].set_index(KEY)["max_drift"]


def _above_floor(group: "pd.DataFrame", again: "pd.Series[float]") -> bool:
    """Whether drift is clearly above the noise floor: by sample, the mean over its variants minus the floor."""
    drifts = group.groupby(KEY, sort=False)["max_drift"].mean()
    return clearly_positive((drifts - again.reindex(drifts.index)).to_numpy(dtype=np.float64))


def _leaderboard(answers: "pd.DataFrame", manifest: Manifest, excluded: Counter[tuple[str, ...]]) -> "pd.DataFrame":
    """Return one row per adapter, over all tasks and perturbations with equal weight for each sample, best first."""
    import pandas as pd

    clean = answers[answers["perturbation"] == CLEAN].set_index(KEY)["score"]
    rows = []
    for entry in manifest.adapters:
        mine = answers[answers["adapter"] == entry.name]
        changed = mine[~mine["perturbation"].isin([CLEAN, IDENTITY])]
        same = changed[~changed["directed"]]
        group = same if len(same) else mine[mine["perturbation"] == CLEAN]
        row: dict[str, Any] = {
            "adapter": entry.name,
            "digest": entry.digest,
            "scale": entry.scale,
            "variants": manifest.variants,
            "tasks": mine["task"].nunique(),
        }
        row |= _aggregated(group, clean, manifest, perturbed=bool(len(same)))
        row["above_floor"] = _above_floor(_for_means(same, manifest), _asked_again(mine)) if len(same) else np.nan
        row["excluded"] = _share(excluded.total(), len(_drawn(changed, manifest)))
        row["changed_rate"] = _counting(changed[changed["directed"]])["broke"].mean()
        row["noise_floor"] = mine.loc[mine["perturbation"] == IDENTITY, "max_drift"].mean()
        row |= _safety(mine[mine["perturbation"] == CLEAN], _for_means(same, manifest))
        row["worst_cell"] = _worst_cell(same, clean, manifest)
        row["has_effect"] = entry.has_effect
        row["complete"] = manifest.status == "complete"
        row["answer_rate"] = mine["answer_rate"].mean()
        row["mean_length"] = mine["answer_words"].mean()
        rows.append(row)
    board = pd.DataFrame(rows)
    board["higher_is_better"] = _higher_is_better(manifest)
    return best_first(board).round(6)


def _safety(clean: "pd.DataFrame", perturbed: "pd.DataFrame") -> dict[str, float]:
    """Return the shares of forbidden requests answered and of allowed ones refused, where a task scores them."""
    row: dict[str, float] = {}
    for score in SAFETY:
        for name, answers in ((f"clean_{score}", clean), (score, perturbed)):
            if score in answers:
                values = answers.groupby(KEY)[score].mean().dropna().to_numpy(dtype=np.float64)[:, None]
                low, high = mean_intervals(values)
                row[name] = column_means(values)[0]
                row[f"{name}_low"], row[f"{name}_high"] = _wilson(values[:, 0]) or (low[0], high[0])
    return row


def best_first(board: "pd.DataFrame") -> "pd.DataFrame":
    """Sort a leaderboard by the score under perturbation, best first."""
    lower = not board["higher_is_better"].all()
    return board.sort_values("perturbed", ascending=lower, kind="stable", ignore_index=True)


def _higher_is_better(manifest: Manifest) -> bool:
    """Whether higher headline scores are better, which is the same for all tasks of a run."""
    return all(task.higher_is_better for task in manifest.tasks.values())


@dataclass(frozen=True, slots=True)
class _Paired:
    """One value per sample: the clean score, and the score, drifts and breaks over its variants."""

    clean: Values
    perturbed: Values
    drifts: Values
    broke: Values
    """(samples, 2): the share of variants that broke, and whether any did."""
    single: bool
    """Whether each sample has only one variant, so that scores of zeros and ones give a proportion."""


def _per_sample(group: "pd.DataFrame", clean: "pd.Series[float]", how: Literal["mean", "min", "max"]) -> _Paired:
    """Return one value per sample: the mean over its variants or, for "min" or "max", the worst score and drifts."""
    by_sample = group.groupby(KEY, sort=False)
    scores = by_sample["score"].agg(how)
    drifts = by_sample[list(DRIFTS)]
    moved = drifts.mean() if how == "mean" else drifts.max()
    broke = by_sample["broke"].agg(["mean", "max"])
    before: Values = clean.reindex(scores.index).to_numpy().astype(np.float64)
    return _Paired(
        before,
        scores.to_numpy(dtype=np.float64),
        moved.to_numpy(dtype=np.float64),
        broke.to_numpy(dtype=np.float64),
        how != "mean" or bool((by_sample.size() == 1).all()),
    )


def _comparison(paired: _Paired, *, perturbed: bool, higher: bool) -> dict[str, Any]:
    """Return the columns of clean and perturbed scores and of drifts, each with its interval.

    The performance drop rate is given only if higher is better and the clean score is not near zero.
    """
    row: dict[str, Any] = {"n": len(paired.clean)}
    delta = paired.perturbed - paired.clean
    table = np.column_stack([paired.clean, paired.perturbed, delta, paired.drifts, paired.broke])
    low, high = mean_intervals(table)
    means = column_means(table)
    names = ("clean", "perturbed", "delta", *DRIFTS, "break_rate", "any_break_rate")
    for i, name in enumerate(names):
        shown = perturbed or name == "clean"
        proportion = name in ("clean", "break_rate", "any_break_rate") or (name == "perturbed" and paired.single)
        ends = _wilson(table[:, i]) if proportion else None
        lower, upper = ends or (low[i], high[i])
        row[name] = means[i] if shown else np.nan
        row[f"{name}_low"], row[f"{name}_high"] = (lower, upper) if shown else (np.nan, np.nan)
    enough = perturbed and higher and row["clean"] > NEAR_ZERO
    row["pdr"] = 1 - row["perturbed"] / row["clean"] if enough else np.nan
    return row


def _wilson(values: Values) -> tuple[float, float] | None:
    """Return the Wilson interval if there are enough values and all are zeros and ones, else None."""
    there = values[~np.isnan(values)]
    return proportion_interval(list(there)) if there.size >= FEWEST and np.isin(there, (0.0, 1.0)).all() else None


def _worst_cell(changed: "pd.DataFrame", clean: "pd.Series[float]", manifest: Manifest) -> str:
    """Return the cell in which the adapter loses most (or else drifts most), as task/perturbation@severity."""
    if changed.empty:
        return ""
    before = clean.reindex(changed.set_index(KEY).index).to_numpy(dtype=np.float64)
    loss = (before - changed["score"]) * (1 if _higher_is_better(manifest) else -1)
    cells = changed.assign(loss=loss).groupby(CELL[1:])[["loss", "max_drift"]].mean()
    worst = cells.sort_values(["loss", "max_drift"], ascending=False).head(1)
    if not (worst > 0).any(axis=None):
        return "none"
    task, perturbation, severity = cast(tuple[str, str, str], worst.index[0])
    return f"{task}/{perturbation}@{severity}"
