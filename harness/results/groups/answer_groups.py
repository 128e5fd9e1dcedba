"""The answers of a group of samples."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from holdfast.harness.store.manifest import Manifest

if TYPE_CHECKING:
    import pandas as pd


def labels_of(manifest: Manifest) -> list[str]:
    """Return the groups of a run's tasks, in the order in which the tasks have them."""
    return list(dict.fromkeys(label for task in manifest.tasks.values() for label in task.groups))


def by_group(answers: "pd.DataFrame", labels: Collection[str]) -> Iterator[tuple[str, "pd.DataFrame"]]:
    """Yield each of these groups that has answers, with them.

    Args:
        answers: One row per answer, with the column `groups`.
        labels: The groups.
    """
    known = Counter(answers["groups"])
    for label in labels:
        having = {groups for groups in known if label in groups}
        if having:
            yield label, answers[answers["groups"].isin(having)]


def of_samples(
    excluded: Counter[tuple[str, ...]], answers: "pd.DataFrame", *, every: bool = False
) -> Counter[tuple[str, ...]]:
    """Return how many variants were excluded by (task, perturbation, severity).

    Args:
        excluded: The number of excluded variants by (task, perturbation, severity, sample).
        answers: One row per answer; only their samples count.
        every: Count all samples instead.
    """
    asked = set() if every else set(answers[["task", "sample"]].itertuples(index=False, name=None))
    counts: Counter[tuple[str, ...]] = Counter()
    for (*cell, sample), count in excluded.items():
        if every or (cell[0], sample) in asked:
            counts[tuple(cell)] += count
    return counts
