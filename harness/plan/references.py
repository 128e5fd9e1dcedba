"""Find tasks whose answers are compared with nothing, which a user may not have meant."""

from collections.abc import Collection

from holdfast.metrics import metrics
from holdfast.tasks import Task

_LIKELY = frozenset(
    "answer answers completion expected gold ground_truth label output reference response solution summary "
    "target targets".split()
)
"""Usual names of fields that hold the right answer."""


def missing_references(task: Task, scored: Collection[str]) -> str:
    """Say that no answer of a task was compared with a reference, and what to do; empty if some were.

    Args:
        task: The task.
        scored: The scores that its answers have.

    >>> from holdfast.tasks import Sample
    >>> missing_references(Task("qa", (Sample("1", "Why?", metadata={"answer": "Because."}),), ("exact_match",)), ())
    "task 'qa': no answer was compared with a reference; its rows have 'answer', which nothing maps: rename it to \
'references', or map it with doc_to_target in a YAML task"
    """
    comparing = (metric for metric in map(metrics.get, task.metrics) if not metric.output_only)
    if any(not metric.higher_is_better.keys().isdisjoint(scored) for metric in comparing):
        return ""
    found = sorted({name for sample in task.samples for name in sample.metadata if name.lower() in _LIKELY})
    said = f"task '{task.name}': no answer was compared with a reference; "
    if not found:
        return said + "its rows have no references, so only drift is measured: add 'references' to score the answers"
    return said + (
        f"its rows have '{found[0]}', which nothing maps: rename it to 'references', or map it with doc_to_target in a "
        "YAML task"
    )
