"""From the lines of a run to its two tables: one row per cell, one row per adapter."""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.plan.sample_variants import IDENTITY
from holdfast.harness.plan.validity import count_excluded
from holdfast.harness.results.curves import add_curves
from holdfast.harness.results.statistics import Values, column_means, mean_intervals, proportion_interval
from holdfast.harness.store.manifest import Manifest, read_manifest
from holdfast.harness.store.records import CLEAN, SAMPLES, read_samples
from holdfast.metrics.drift_columns import DRIFTS
from holdfast.perturbations import Expectation, expectation, parse

if TYPE_CHECKING:
    import pandas as pd

NEAR_ZERO = 0.05
"""Below this clean score a performance drop rate would be a ratio of noise."""

CHANGED: Expectation = "changed"
KEY = ["adapter", "task", "sample"]
_MEASURES = ("repeat", "score", "broke", "directed", "edited", "edit_rate", "truncated", "tokens", "reason", "encoder")
CELL = ["adapter", "task", "perturbation", "severity"]


def summarise(folder: Path) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Write breakdown.csv and leaderboard.csv of the run in `folder`, and return both; raises as `tables_of` does."""
    breakdown, leaderboard = tables_of(folder)
    breakdown.to_csv(folder / "breakdown.csv", index=False)
    leaderboard.to_csv(folder / "leaderboard.csv", index=False)
    return breakdown, leaderboard


def tables_of(folder: Path) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """The breakdown and the leaderboard of a run; of an interrupted one, as far as it got.

    Raises UserError where there is no run, or no answer in it.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise UserError(f"{folder} is not a run: it has no run.json")
    answers = _answers(folder, manifest)
    return _breakdown(answers, manifest, count_excluded(folder)), _leaderboard(answers, manifest)


def _answers(folder: Path, manifest: Manifest) -> "pd.DataFrame":
    """One row per generation: what was asked, the headline `score`, and every score.

    In the order of their keys, so that the tables don't hang on the order in which an engine finished.
    """
    import pandas as pd

    asked = ("key", "perturbation", "severity", "repeat", "edit_rate", "tokens", "reason", "encoder")
    columns: dict[str, list[Any]] = {name: [] for name in (*KEY, *asked)}
    columns |= {"edited": [], "truncated": []}
    scores: dict[str, array[float]] = {}
    count = 0
    for line in read_samples(folder / SAMPLES):
        for name, values in columns.items():
            value = bool(line["edits"]) if name == "edited" else line[name]
            values.append(intern(value) if isinstance(value, str) else value)  # most are said a million times
        for name, value in line["scores"].items():
            _reach(scores.setdefault(name, array("d")), count).append(value)
        count += 1
    if not count:
        raise UserError(f"{folder} holds no answers yet: run it first")
    frame = pd.DataFrame(columns | {name: np.asarray(_reach(values, count)) for name, values in scores.items()})
    frame = frame.sort_values("key", ignore_index=True).drop(columns="key")
    frame["score"] = np.nan
    for task, entry in manifest.tasks.items():
        if entry.headline in frame:
            chosen = frame["task"] == task
            frame.loc[chosen, "score"] = frame.loc[chosen, entry.headline]
    for drift in DRIFTS:
        if drift not in frame:
            frame[drift] = np.nan
    expects = {name: expectation(name) for name in frame["perturbation"].unique() if name not in (CLEAN, IDENTITY)}
    frame["directed"] = frame["perturbation"].map(expects) == CHANGED
    frame.loc[frame["directed"], "score"] = np.nan  # the references answer another question
    frame["broke"] = np.where(frame["max_drift"].notna(), frame["max_drift"] >= manifest.config.break_threshold, np.nan)
    return frame


def _judged(answers: "pd.DataFrame") -> "pd.DataFrame":
    """The answers that count: where another one is expected, those to prompts that were edited at all."""
    return answers[answers["edited"].astype(bool) | ~answers["directed"]]


def _reach(values: "array[float]", length: int) -> "array[float]":
    """The values, NaN for the answers up to `length` that have none."""
    values.extend([math.nan] * (length - len(values)))
    return values


def _breakdown(answers: "pd.DataFrame", manifest: Manifest, excluded: Counter[tuple[str, ...]]) -> "pd.DataFrame":
    """One row per (adapter, task, perturbation, severity), the clean answers' own row among them."""
    import pandas as pd

    clean = answers[answers["perturbation"] == CLEAN].set_index(KEY)["score"]
    floors = answers[answers["perturbation"] == IDENTITY].groupby(KEY[:2])["max_drift"].mean()
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
        row |= _aggregated(_judged(group), clean, manifest, perturbed=perturbation != CLEAN)
        row |= _told_apart(row, directed=row["expects"] == CHANGED)
        row["noise_floor"] = floors.get((adapter, task), np.nan) if perturbation != CLEAN else np.nan
        row["excluded"] = _share(excluded[cell[1:]], len(_drawn(group, manifest)))
        row |= {name: group[name].mean() for name in ("edited", "edit_rate", "truncated")}
        row["reasons"] = _counted(reason.split()[0] for reason in group["reason"] if reason)
        row["encoder"] = _counted(name for name in group["encoder"] if name)
        row["mean_tokens"] = group["tokens"].mean()
        row |= {str(name): group[name].mean() for name in extra}
        rows.append(row)
    rows.sort(key=_order(manifest))
    add_curves(rows, _judged(_for_means(answers, manifest)))
    return pd.DataFrame(rows).round(6)


def _aggregated(
    group: "pd.DataFrame", clean: "pd.Series[float]", manifest: Manifest, *, perturbed: bool
) -> dict[str, Any]:
    """The mean over a sample's variants and, where that was asked for, its worst variant.

    What a search found counts as worst only: a mean over variants chosen to hurt would say nothing.
    """
    config, higher = manifest.config, _higher_is_better(manifest)
    row = _compared(_per_sample(_for_means(group, manifest), clean, "mean"), perturbed=perturbed, higher=higher)
    if "worst" in config.aggregate or config.search:
        worst = _compared(_per_sample(group, clean, "min" if higher else "max"), perturbed=perturbed, higher=higher)
        for end in ("", "_low", "_high"):
            row[f"worst{end}"] = worst[f"perturbed{end}"]
            row[f"worst_max_drift{end}"] = worst[f"max_drift{end}"]
    return row


def _told_apart(row: dict[str, Any], *, directed: bool) -> dict[str, float]:
    """An answer that moved is a break or, where another one is expected, a change; then none is the worst, either."""
    told: dict[str, float] = {}
    for end in ("", "_low", "_high"):
        told[f"changed_rate{end}"] = row[f"break_rate{end}"] if directed else np.nan
        if directed:
            told |= {
                f"{name}{end}": np.nan for name in ("break_rate", "worst", "worst_max_drift") if f"{name}{end}" in row
            }
    return told


def _for_means(answers: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """The answers that means are over: to the first `repeats` variants of each sample that were drawn at random.

    Random search draws more of them than that; where the first were left out, the next ones stand in, so that whatever
    has a worst variant has a mean too.
    """
    config, drawn = manifest.config, _drawn(answers, manifest)
    if config.variants_per_sample == config.repeats:
        return drawn
    turn = drawn.sort_values("repeat", kind="stable").groupby([*CELL, "sample"], sort=False).cumcount()
    return drawn[turn.reindex(drawn.index) < config.repeats]


def _drawn(group: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """The answers to variants drawn at random, not found by a search."""
    return group[group["repeat"] < manifest.config.variants_per_sample]


def _counted(words: Iterable[str]) -> str:
    """`number 12, negation 3`, the most frequent first; a single word stands alone."""
    counts = Counter(words).most_common()
    return counts[0][0] if len(counts) == 1 else ", ".join(f"{word} {count}" for word, count in counts)


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else 0.0


def _order(manifest: Manifest) -> Callable[[dict[str, Any]], tuple[int, ...]]:
    """Rows as the run was asked for: adapters, tasks, perturbations and severities in the configuration's order."""
    config = manifest.config
    asked = [parse(spec) for spec in config.perturbations]
    perturbations = [CLEAN, IDENTITY, *(name for name, _ in asked)]
    severities = [*config.severity, *(severity for _, severity in asked)]

    def place(row: dict[str, Any]) -> tuple[int, ...]:
        severity = severities.index(row["severity"]) if row["severity"] in severities else 0
        return (
            [adapter.name for adapter in manifest.adapters].index(row["adapter"]),
            list(manifest.tasks).index(row["task"]),
            perturbations.index(row["perturbation"]),
            severity,
        )

    return place


def _leaderboard(answers: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """One row per adapter, over all its tasks and perturbations; every sample counts alike. Best first, by the score
    that is left under perturbation."""
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
            "digest": entry.digest[:12],
            "scale": entry.scale,
            "variants": manifest.variants[:12],
            "tasks": mine["task"].nunique(),
        }
        row |= _aggregated(group, clean, manifest, perturbed=bool(len(same)))
        row["changed_rate"] = _judged(changed[changed["directed"]])["broke"].mean()
        row["noise_floor"] = mine.loc[mine["perturbation"] == IDENTITY, "max_drift"].mean()
        row["worst_cell"] = _worst_cell(same, clean, manifest)
        row["has_effect"] = entry.has_effect
        row["complete"] = manifest.status == "complete"
        row["answer_rate"] = mine["answer_rate"].mean()
        row["mean_length"] = mine["answer_words"].mean()
        rows.append(row)
    board = pd.DataFrame(rows)
    board["higher_is_better"] = _higher_is_better(manifest)
    return best_first(board).round(6)


def best_first(board: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of a leaderboard by the score that is left under perturbation."""
    lower = not board["higher_is_better"].all()
    return board.sort_values("perturbed", ascending=lower, kind="stable", ignore_index=True)


def _higher_is_better(manifest: Manifest) -> bool:
    """The direction of a run's headline scores: a run mixes none."""
    return all(task.higher_is_better for task in manifest.tasks.values())


@dataclass(frozen=True, slots=True)
class _Paired:
    """Sample by sample: the clean score, and over its variants the score, the drifts and whether any broke (where the
    answer should change, how many did)."""

    clean: Values
    perturbed: Values
    drifts: Values
    broke: Values
    single: bool
    """Each sample has one variant only, so that a score of zeros and ones is a proportion."""


def _per_sample(group: "pd.DataFrame", clean: "pd.Series[float]", how: Literal["mean", "min", "max"]) -> _Paired:
    """One row per sample: the mean over its variants or, metric by metric, the worst (`how` says which end of the
    score that is)."""
    by_sample = group.groupby(KEY, sort=False)
    scores = by_sample["score"].agg(how)
    drifts = by_sample[list(DRIFTS)]
    moved = drifts.mean() if how == "mean" else drifts.max()
    broke = by_sample["broke"].mean() if group["directed"].any() else by_sample["broke"].max()
    before: Values = clean.reindex(scores.index).to_numpy().astype(np.float64)
    return _Paired(
        before,
        scores.to_numpy(dtype=np.float64),
        moved.to_numpy(dtype=np.float64),
        broke.to_numpy(dtype=np.float64),
        how != "mean" or bool((by_sample.size() == 1).all()),
    )


def _compared(paired: _Paired, *, perturbed: bool, higher: bool) -> dict[str, Any]:
    """The columns that compare clean and perturbed scores, and the drifts, each with its interval.

    A performance drop rate stands only where higher is better and the clean score is not near zero.
    """
    row: dict[str, Any] = {"n": len(paired.clean)}
    delta = paired.perturbed - paired.clean
    table = np.column_stack([paired.clean, paired.perturbed, delta, paired.drifts, paired.broke])
    low, high = mean_intervals(table)
    means = column_means(table)
    names = ("clean", "perturbed", "delta", *DRIFTS, "break_rate")
    for i, name in enumerate(names):
        shown = perturbed or name == "clean"
        proportion = name in ("clean", "break_rate") or (name == "perturbed" and paired.single)
        ends = _wilson(table[:, i]) if proportion else None
        lower, upper = ends or (low[i], high[i])
        row[name] = means[i] if shown else np.nan
        row[f"{name}_low"], row[f"{name}_high"] = (lower, upper) if shown else (np.nan, np.nan)
    enough = perturbed and higher and row["clean"] > NEAR_ZERO
    row["pdr"] = 1 - row["perturbed"] / row["clean"] if enough else np.nan
    return row


def _wilson(values: Values) -> tuple[float, float] | None:
    """Wilson's interval where the values are zeros and ones."""
    there = values[~np.isnan(values)]
    return proportion_interval(list(there)) if there.size and np.isin(there, (0.0, 1.0)).all() else None


def _worst_cell(changed: "pd.DataFrame", clean: "pd.Series[float]", manifest: Manifest) -> str:
    """The cell in which the adapter loses most, or else drifts most, as task/perturbation@severity."""
    if changed.empty:
        return ""
    before = clean.reindex(changed.set_index(KEY).index).to_numpy(dtype=np.float64)
    loss = (before - changed["score"]) * (1 if _higher_is_better(manifest) else -1)
    cells = changed.assign(loss=loss).groupby(CELL[1:])[["loss", "max_drift"]].mean()
    worst = cells.sort_values(["loss", "max_drift"], ascending=False).head(1)
    if not (worst > 0).any(axis=None):
        return "-"
    task, perturbation, severity = cast(tuple[str, str, str], worst.index[0])
    return f"{task}/{perturbation}@{severity}"
