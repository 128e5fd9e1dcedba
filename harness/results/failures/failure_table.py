"""The kinds of wrong answers, counted for each adapter, task and perturbation."""

from typing import TYPE_CHECKING, Any

from holdfast.harness.results.statistics import FEWEST, proportion_interval
from holdfast.metrics.failure_kinds import FAILURES
from holdfast.metrics.language_failures import LANGUAGE_FAILURES
from holdfast.tasks.sample import ALL

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("adapter", "task", "perturbation", "failure", "wrong", "count", "share", "share_low", "share_high")


def failure_table(answers: "pd.DataFrame") -> "pd.DataFrame | None":
    """Return a row for each adapter, task, perturbation (and `all` of them) and kind of failure.

    Args:
        answers: One row per answer, with the column `failure`.

    Returns:
        `wrong`, the number of wrong answers, how many are of the kind, and their share with its 95 % interval (Wilson;
        none for fewer than 5 wrong answers). None if no answer is wrong.
    """
    import pandas as pd

    wrong = answers[answers["failure"] != ""]
    if wrong.empty:
        return None
    rows: list[dict[str, Any]] = []
    for (adapter, task), mine in wrong.groupby(["adapter", "task"], sort=True):
        kinds = [kind for group in (FAILURES, LANGUAGE_FAILURES) if {*group} & {*mine["failure"]} for kind in group]
        parts = {ALL: mine, **{str(name): part for name, part in mine.groupby("perturbation", sort=True)}}
        for perturbation, part in parts.items():
            for failure in kinds:
                is_kind = [float(each == failure) for each in part["failure"]]
                low, high = proportion_interval(is_kind) if len(is_kind) >= FEWEST else (float("nan"), float("nan"))
                counts = (len(is_kind), int(sum(is_kind)), sum(is_kind) / len(is_kind), low, high)
                rows.append(dict(zip(COLUMNS, (adapter, task, perturbation, failure, *counts), strict=True)))
    return pd.DataFrame(rows).round(6)
