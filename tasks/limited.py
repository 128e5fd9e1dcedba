"""The samples that `--limit` keeps: in proportion to groups and labels."""

from collections import Counter
from collections.abc import Hashable

from holdfast.tasks.sample import Sample
from holdfast.tasks.task import Task
from holdfast.tasks.task_labels import LABEL_METRIC


def limited(task: Task, limit: int | None) -> tuple[Sample, ...]:
    """Return the first samples of a task, taken from each group and label in proportion to its size.

    A larger limit keeps what a smaller one does. Samples of one combination of groups and label are taken in the order
    of the task, so without groups and labels these are the first ones; so are those of parallel items, so that the same
    items are kept in every language.

    Args:
        task: The task.
        limit: The number of samples to keep; None keeps all.

    >>> samples = [Sample(f"{name}{i}", "?", metadata={"group": name}) for name in "ab" for i in range(3)]
    >>> [sample.id for sample in limited(Task("t", tuple(samples), ("answer_rate",)), 4)]
    ['a0', 'a1', 'b0', 'b1']
    """
    if limit is None or limit >= len(task.samples):
        return task.samples
    strata = [_stratum(task, sample) for sample in task.samples]
    sizes, seen = Counter(strata), Counter[Hashable]()
    places = []
    for i, stratum in enumerate(strata):
        places.append(((seen[stratum] + 0.5) / sizes[stratum], i))
        seen[stratum] += 1
    return tuple(task.samples[i] for i in sorted(i for _, i in sorted(places)[:limit]))


def strata_of(task: Task) -> list[str]:
    """Return what `limited` keeps in proportion: the names of the task's groupings, and `label` if it has labels.

    >>> strata_of(Task("t", (Sample("1", "?", ("yes",), {"group": {"topic": "art"}}),), ("label_accuracy",)))
    ['topic', 'label']
    """
    groupings = dict.fromkeys(name for sample in task.samples for name in sample.groups)
    return list(dict.fromkeys([*groupings, *(["label"] if LABEL_METRIC in task.metrics else [])]))


def _stratum(task: Task, sample: Sample) -> Hashable:
    return tuple(sample.groups.items()), sample.references[:1] if LABEL_METRIC in task.metrics else ()
