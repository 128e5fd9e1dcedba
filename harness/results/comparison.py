"""Compare the perturbed answers of any group of samples with their clean ones: means, intervals, the noise floor."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from holdfast.harness.results.answer_frame import KEY
from holdfast.harness.results.statistics import (
    FEWEST,
    Values,
    clearly_positive,
    column_means,
    mean_intervals,
    proportion_interval,
)
from holdfast.harness.store.manifest import Manifest
from holdfast.harness.store.records import IDENTITY
from holdfast.metrics.drift_columns import DRIFTS

if TYPE_CHECKING:
    import pandas as pd

NEAR_ZERO = 0.05
"""Clean scores below this give no performance drop rate, which would mostly be noise."""

CELL = ["adapter", "task", "perturbation", "severity"]


def counting(answers: "pd.DataFrame") -> "pd.DataFrame":
    """Return the answers that count; where a change is expected, these are the answers to edited prompts."""
    return answers[answers["edited"].astype(bool) | ~answers["directed"]]


def aggregated(
    group: "pd.DataFrame", clean: "pd.Series[float]", manifest: Manifest, *, perturbed: bool
) -> dict[str, Any]:
    """Return the columns for the mean over each sample's variants and, if requested, for its worst variant.

    Variants found by a search count only for the worst: a mean over variants chosen to do damage means nothing.
    """
    config, higher = manifest.config, higher_is_better(manifest)
    row = _comparison(_per_sample(for_means(group, manifest), clean, "mean"), perturbed=perturbed, higher=higher)
    if "worst" in config.aggregate or config.search:
        worst = _comparison(_per_sample(group, clean, "min" if higher else "max"), perturbed=perturbed, higher=higher)
        for end in ("", "_low", "_high"):
            row[f"worst{end}"] = worst[f"perturbed{end}"]
            row[f"worst_max_drift{end}"] = worst[f"max_drift{end}"]
    return row


def for_means(answers: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """Return the answers for means: those to the first `repeats` random variants of each sample.

    Random search draws more variants; if the first ones were excluded, the next take their place, so that every sample
    with a worst variant also has a mean.
    """
    config, random = manifest.config, drawn(answers, manifest)
    if config.variants_per_sample == config.repeats:
        return random
    turn = random.sort_values("repeat", kind="stable").groupby([*CELL, "sample"], sort=False).cumcount()
    return random[turn.reindex(random.index) < config.repeats]


def drawn(group: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """Return the answers to variants drawn at random rather than found by greedy search."""
    return group[group["repeat"] < manifest.config.variants_per_sample]


def share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else 0.0


def asked_again(answers: "pd.DataFrame") -> "pd.Series[float]":
    """Return the drift of each sample whose prompt was asked again unchanged, by adapter, task and sample."""
    return answers[answers["perturbation"] == IDENTITY].set_index(KEY)["max_drift"]


def above_floor(group: "pd.DataFrame", again: "pd.Series[float]") -> bool:
    """Whether drift is clearly above the noise floor: by sample, the mean over its variants minus the floor."""
    drifts = group.groupby(KEY, sort=False)["max_drift"].mean()
    return clearly_positive((drifts - again.reindex(drifts.index)).to_numpy(dtype=np.float64))


def higher_is_better(manifest: Manifest) -> bool:
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
        ends = wilson(table[:, i]) if proportion else None
        lower, upper = ends or (low[i], high[i])
        row[name] = means[i] if shown else np.nan
        row[f"{name}_low"], row[f"{name}_high"] = (lower, upper) if shown else (np.nan, np.nan)
    enough = perturbed and higher and row["clean"] > NEAR_ZERO
    row["pdr"] = 1 - row["perturbed"] / row["clean"] if enough else np.nan
    return row


def mean_over_samples(name: str, values: Values) -> dict[str, float]:
    """Return the mean of a score as the column `name`, and its 95 % interval as `name_low` and `name_high`.

    Args:
        name: The column.
        values: (samples,), one value for each sample. Zeros and ones get Wilson's interval, others the bootstrap's.
    """
    low, high = wilson(values) or (ends[0] for ends in mean_intervals(values[:, None]))
    return {name: float(column_means(values[:, None])[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


def wilson(values: Values) -> tuple[float, float] | None:
    """Return the Wilson interval if there are enough values and all are zeros and ones, else None."""
    there = values[~np.isnan(values)]
    return proportion_interval(list(there)) if there.size >= FEWEST and np.isin(there, (0.0, 1.0)).all() else None
