"""The breakdown: a row for each cell, that is adapter, task, group, perturbation and severity."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.harness.results.agreement.self_consistency import WORDED
from holdfast.harness.results.answer_frame import CHANGED, KEY
from holdfast.harness.results.comparison import (
    CELL,
    above_floor,
    aggregated,
    asked_again,
    counting,
    drawn,
    for_means,
    share,
)
from holdfast.harness.results.curves import add_curves
from holdfast.harness.results.groups.answer_groups import by_group, of_samples
from holdfast.harness.store.manifest import Manifest
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.metrics.drift_columns import DRIFTS
from holdfast.perturbations import expectation, parse
from holdfast.tasks.sample import ALL

if TYPE_CHECKING:
    import pandas as pd

_MEASURES = (
    *("repeat", "score", "broke", "directed", "edited", "edit_rate", "truncated", "tokens", "reason", "encoder"),
    *("groups", "item", "failure", "label", "predicted", "confidence", "said", WORDED),
)


def breakdown_of(answers: "pd.DataFrame", manifest: Manifest, excluded: Counter[tuple[str, ...]]) -> "pd.DataFrame":
    """Return one row per (adapter, task, group, perturbation, severity), including the clean answers.

    Args:
        answers: One row per answer.
        manifest: The run's.
        excluded: Number of excluded variants by task, perturbation, severity and sample.

    Returns:
        For each adapter and task, the rows of all samples (group `all`), then those of each group.
    """
    import pandas as pd

    rows = _rows(ALL, answers, manifest, of_samples(excluded, answers, every=True))
    for task, entry in manifest.tasks.items():
        for label, mine in by_group(answers[answers["task"] == task], entry.groups):
            rows += _rows(label, mine, manifest, of_samples(excluded, mine))
    rows.sort(key=_order(manifest))
    return pd.DataFrame(rows).round(6)


def _rows(
    group_name: str, answers: "pd.DataFrame", manifest: Manifest, excluded: Counter[tuple[str, ...]]
) -> list[dict[str, Any]]:
    """Return a row for each cell of these answers."""
    clean = answers[answers["perturbation"] == CLEAN].set_index(KEY)["score"]
    again = asked_again(answers)
    floors = again.groupby(level=KEY[:2]).mean()
    extra = [name for name in answers if name not in {*KEY, *CELL, *_MEASURES, *DRIFTS}]
    cells: dict[Any, pd.DataFrame] = dict(iter(answers.groupby(CELL, sort=False)))
    for adapter in manifest.adapters:
        cells |= {(adapter.name, *cell): answers[:0] for cell in excluded if (adapter.name, *cell) not in cells}
    rows: list[dict[str, Any]] = []
    for cell, group in cells.items():
        adapter, task, perturbation, severity = cell
        row: dict[str, Any] = {"adapter": adapter, "task": task, "group": group_name}
        row |= {"perturbation": perturbation, "severity": severity}
        row["metric"] = manifest.tasks[task].headline
        row["expects"] = "" if perturbation in (CLEAN, IDENTITY) else expectation(perturbation)
        row |= aggregated(counting(group), clean, manifest, perturbed=perturbation != CLEAN)
        row |= _break_or_change(row, directed=row["expects"] == CHANGED)
        row["noise_floor"] = floors.get((adapter, task), np.nan) if perturbation != CLEAN else np.nan
        row["above_floor"] = above_floor(counting(group), again) if row["expects"] else np.nan
        row["excluded"] = share(excluded[cell[1:]], len(drawn(group, manifest)))
        row |= {name: group[name].mean() for name in ("edited", "edit_rate", "truncated")}
        row["reasons"] = _counted(reason.split()[0] for reason in group["reason"] if reason.strip())
        row["failures"] = _counted(failure for failure in group["failure"] if failure)
        row["encoder"] = _counted(name for name in group["encoder"] if name)
        row["mean_tokens"] = group["tokens"].mean()
        row |= {str(name): group[name].mean() for name in extra}
        rows.append(row)
    add_curves(rows, counting(for_means(answers, manifest)))
    return rows


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


def _counted(words: Iterable[str]) -> str:
    """Return the words with counts, as in `number 12, negation 3`, most frequent first; a single word has none."""
    counts = Counter(words).most_common()
    return counts[0][0] if len(counts) == 1 else ", ".join(f"{word} {count}" for word, count in counts)


def _order(manifest: Manifest) -> Callable[[dict[str, Any]], tuple[int, ...]]:
    """Return a sort key that puts adapters, tasks, perturbations and severities in the configuration's order."""
    config = manifest.config
    specs = [parse(spec) for spec in config.perturbations]
    perturbations = [CLEAN, IDENTITY, *(name for name, _ in specs)]
    severities = [*config.severity, *(severity for _, severity in specs)]

    groups = {task: [ALL, *entry.groups] for task, entry in manifest.tasks.items()}

    def place(row: dict[str, Any]) -> tuple[int, ...]:
        severity = severities.index(row["severity"]) if row["severity"] in severities else 0
        return (
            [adapter.name for adapter in manifest.adapters].index(row["adapter"]),
            list(manifest.tasks).index(row["task"]),
            groups[row["task"]].index(row["group"]),
            perturbations.index(row["perturbation"]),
            severity,
        )

    return place
