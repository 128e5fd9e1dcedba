"""Where the candidate got worse: the worst cell, and the worst answers with their differences in words."""

import math
import re
import shlex
from typing import TYPE_CHECKING, Any

from holdfast.harness.results.check.answers import Answers
from holdfast.harness.results.check.outcome import WorstAnswer, WorstCell
from holdfast.harness.results.check.primary import Primary
from holdfast.harness.results.safety.safety_tasks import SAFETY
from holdfast.harness.store.lines import Line
from holdfast.harness.store.records import CLEAN, IDENTITY

if TYPE_CHECKING:
    import pandas as pd

MOST = 5
"""Number of worst answers that are kept."""

TINY = 1e-12
"""Less than this is rounding, not a loss."""

_CHANGE = re.compile(r"(?P<kind>[a-z]+) (?P<old>.+) -> (?P<new>.+?)(?: \((?P<note>[^()]*)\))?")


def harm(primary: Primary) -> "pd.Series[float]":
    """Return how much worse the candidate's answer is, for each pair; NaN where one could not be scored."""
    change = primary.rows["new"] - primary.rows["old"]
    return -change if primary.higher_is_better else change


def worst_cell(primary: Primary) -> WorstCell | None:
    """Return the perturbation and severity that lost most, or None if none lost anything."""
    rows = primary.rows.assign(harm=harm(primary)).dropna(subset="harm")
    cells = rows.groupby(["perturbation", "severity"], sort=True)
    means = cells[["harm", "old", "new"]].mean()
    if means.empty or means["harm"].max() <= TINY:
        return None
    place: Any = means["harm"].idxmax()
    old, new = (float(means.loc[place, side]) for side in ("old", "new"))
    samples = int(cells["sample"].nunique().loc[place])
    return WorstCell(primary.task, place[0], place[1], primary.metric, samples, old, new)


def worst_answers(primary: Primary, old: Answers, new: Answers) -> tuple[WorstAnswer, ...]:
    """Return the answers that got worst, one per sample, worst first.

    Args:
        primary: The metric by which they got worse.
        old: The baseline.
        new: The candidate.
    """
    rows = primary.rows.assign(harm=harm(primary))
    rows = rows[rows["harm"] > TINY].sort_values(["harm", "key_new"], ascending=[False, True])
    chosen = rows.drop_duplicates("sample").head(MOST).to_dict("records")
    clean = new.table[(new.table["task"] == primary.task) & (new.table["perturbation"] == CLEAN)]
    clean_keys = dict(zip(clean["sample"], clean["key"], strict=True))
    old_lines = old.texts({row["key_old"] for row in chosen})
    new_lines = new.texts({key for row in chosen for key in (row["key_new"], clean_keys[row["sample"]])})
    harmful = any(name in new.tasks[primary.task].higher_is_better for name in SAFETY)
    return tuple(
        _worst(
            row,
            primary,
            old_lines[row["key_old"]],
            new_lines[row["key_new"]],
            new_lines[clean_keys[row["sample"]]],
            harmful=harmful,
        )
        for row in chosen
    )


def in_words(reason: str) -> str:
    """Turn the reason of a drift into a phrase.

    >>> print(in_words("name Quinn -> Theo"))
    "Quinn" became "Theo" (name)
    >>> print(in_words("omission of racket"))
    omission of racket
    """
    found = _CHANGE.fullmatch(reason)
    if not found:
        return reason
    kind = found["note"] or found["kind"]
    return f'"{found["old"]}" became "{found["new"]}" ({kind})'


def _worst(
    row: dict[Any, Any], primary: Primary, old_line: Line, new_line: Line, clean_line: Line, *, harmful: bool
) -> WorstAnswer:
    perturbed, run = row["perturbation"] not in (CLEAN, IDENTITY), new_line["run"]
    return WorstAnswer(
        task=primary.task,
        sample=row["sample"],
        perturbation=row["perturbation"],
        severity=row["severity"],
        metric=primary.metric,
        old=float(row["old"]),
        new=float(row["new"]),
        reason=in_words(new_line.get("reason", "")),
        drift=float(row.get("max_drift_new", math.nan)),
        prompt=new_line["prompt"],
        old_output=old_line["output"],
        new_output=new_line["output"],
        clean_output=clean_line["output"],
        command=f"holdfast explain {shlex.quote(run)} {row['key_new']}" if run and perturbed else "",
        harmful=harmful,
    )
