"""The groups of a sample: the language, label or topic for which results have rows of their own."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from holdfast.errors import UserError
from holdfast.tasks.sample import GROUP, Sample

MOST_GROUPS = 100
"""The largest number of groups of a task; more are an id rather than a group."""


def group_labels(sample: Sample) -> tuple[str, ...]:
    """Return the groups of a sample as tables name them.

    A group given as plain text is its own name; those of a named grouping follow its name.

    >>> group_labels(Sample("1", "Who?", metadata={"group": "physics"}))
    ('physics',)
    >>> group_labels(Sample("1", "Who?", metadata={"group": {"language": "hi", "topic": "physics"}}))
    ('language=hi', 'topic=physics')
    """
    return tuple(_label(grouping, name) for grouping, name in sample.groups.items())


def count_groups(samples: Iterable[Sample]) -> dict[str, int]:
    """Return the number of samples of each group, grouping by grouping, in the order of the samples.

    >>> count_groups([Sample(str(i), "?", metadata={"group": name}) for i, name in enumerate(("b", "a", "b"))])
    {'b': 2, 'a': 1}
    """
    counts: dict[str, dict[str, int]] = {}
    for sample in samples:
        for grouping, name in sample.groups.items():
            mine = counts.setdefault(grouping, {})
            mine[name] = mine.get(name, 0) + 1
    return {_label(grouping, name): n for grouping, mine in counts.items() for name, n in mine.items()}


def with_groups(samples: Iterable[Sample], grouping: str, group_of: Callable[[Sample], str]) -> tuple[Sample, ...]:
    """Return the samples with a further grouping.

    Args:
        samples: The samples.
        grouping: Its name.
        group_of: Returns the group of a sample; "" for none.
    """
    return tuple(
        replace(sample, metadata={**sample.metadata, GROUP: {**sample.groups, grouping: group_of(sample)}})
        for sample in samples
    )


def check_groups(samples: Iterable[Sample], where: str) -> None:
    """Raise UserError if a task has more groups than a table can usefully show."""
    counts = count_groups(samples)
    if len(counts) > MOST_GROUPS:
        raise UserError(
            f"{where} has {len(counts)} groups, more than {MOST_GROUPS}: group by something coarser, or rename the "
            f"field '{GROUP}'"
        )


def _label(grouping: str, name: str) -> str:
    return name if grouping == GROUP else f"{grouping}={name}"
