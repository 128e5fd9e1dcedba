"""How each group of samples changed: exploratory, beside the metrics that decide."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.harness.results.check.inference.differences import difference
from holdfast.harness.results.check.outcome import GroupChange
from holdfast.harness.results.check.primary import Primary
from holdfast.harness.results.groups.answer_groups import by_group


def group_changes(primaries: Sequence[Primary], alpha: float) -> tuple[GroupChange, ...]:
    """Return the change of each primary metric in each group of samples, worst first within a metric.

    No group decides: a margin is for all samples of a task, and the intervals are not corrected for the number of
    groups. Pairs with an answer that could not be scored are left out.

    Args:
        primaries: The metrics, with their pairs.
        alpha: 1 - the confidence of the intervals.
    """
    found = []
    for primary in primaries:
        labels = dict.fromkeys(label for groups in primary.rows["groups"].unique() for label in groups)
        changes = []
        for label, rows in by_group(primary.rows, sorted(labels)):
            pairs = replace(primary, rows=rows).pairs()
            change = difference(pairs)
            if change.n:
                low, high = change.interval(1 - alpha)
                new = change.value + float(rows.dropna(subset=["old", "new"]).groupby("cluster")["old"].mean().mean())
                old, samples = new - change.value, change.clusters
                changes.append(
                    GroupChange(primary.task, primary.metric, label, samples, old, new, change.value, low, high)
                )
        sign = 1 if primary.higher_is_better else -1
        found += sorted(changes, key=lambda each: (sign * each.change, each.group))
    return tuple(found)
