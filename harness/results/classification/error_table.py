"""Where an adapter errs most: groups, labels, confused pairs and perturbations, worst first."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.harness.results.classification.class_answers import LABEL, PREDICTED
from holdfast.harness.results.comparison import mean_over_samples
from holdfast.harness.results.statistics import Values
from holdfast.harness.store.records import CLEAN

if TYPE_CHECKING:
    import pandas as pd


def error_table(answers: "pd.DataFrame") -> "pd.DataFrame | None":
    """Return a row for each adapter, task and category of answers, with the highest error rates first.

    Categories are the right labels, the pairs of a label with another one that was predicted, the groups of samples,
    the perturbations, and perturbations of each label. The error rate of a pair is the share of its label's answers.

    Args:
        answers: What `class_answers` returns.

    Returns:
        Number of answers and of wrong ones, and the error rate with its 95 % interval over samples. None if no answer
        has a label.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for (adapter, task), mine in answers.groupby(["adapter", "task"], sort=False):
        found = [
            {"adapter": adapter, "task": task, "kind": kind, "category": name, **_errors(part, wrong)}
            for kind, name, part, wrong in _categories(mine)
        ]
        rows += sorted((row for row in found if row["wrong"]), key=lambda row: (-row["error_rate"], -row["wrong"]))
    return pd.DataFrame(rows).round(6) if rows else None


def _categories(mine: "pd.DataFrame") -> Iterator[tuple[str, str, "pd.DataFrame", "pd.Series[Any]"]]:
    """Yield kind and name of each category, its answers, and which of them are wrong (in the way that it is about)."""
    wrong = mine[LABEL] != mine[PREDICTED]
    for label, part in mine.groupby(LABEL, sort=True):
        yield "label", str(label), part, wrong[part.index]
        for predicted in sorted(set(part[PREDICTED]) - {label}):
            yield "pair", f"{label} -> {predicted or 'no label'}", part, part[PREDICTED] == predicted
    same = {name for label in set(mine[LABEL]) for name in (label, f"label={label}")}
    for group in sorted({group for groups in mine["groups"] for group in groups} - same):
        part = mine[[group in groups for groups in mine["groups"]]]
        yield "group", group, part, wrong[part.index]
    perturbed = mine[mine["perturbation"] != CLEAN]
    for (perturbation, severity), part in perturbed.groupby(["perturbation", "severity"], sort=True):
        yield "perturbation", f"{perturbation}@{severity}", part, wrong[part.index]
    for (perturbation, right), part in perturbed.groupby(["perturbation", LABEL], sort=True):
        yield "perturbation and label", f"{perturbation}, {right}", part, wrong[part.index]


def _errors(part: "pd.DataFrame", wrong: "pd.Series[Any]") -> dict[str, Any]:
    """Return the number of answers, of wrong ones, and the mean of each sample's share of wrong ones."""
    shares = wrong.astype(float).groupby(part["sample"]).mean()
    values: Values = np.asarray(shares, dtype=np.float64)
    counts = {"n": len(values), "count": len(part), "wrong": int(wrong.sum())}
    return {**counts, **mean_over_samples("error_rate", values)}
