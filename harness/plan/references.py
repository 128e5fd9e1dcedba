"""Find tasks whose answers are compared with nothing, which a user may not have meant."""

from holdfast.tasks import Task

_BY_METADATA = frozenset({"policy", "key_fact_recall"})
"""Metrics that read what is right from a sample's metadata."""

_LIKELY = frozenset(
    "answer answers completion expected gold ground_truth label output reference response solution summary "
    "target targets".split()
)
"""Usual names of fields that hold the right answer."""


def missing_references(task: Task) -> str:
    """Say that no answer of a task is compared with a reference, and what to do; empty if some are.

    >>> from holdfast.tasks import Sample
    >>> missing_references(Task("qa", (Sample("1", "Why?", metadata={"answer": "Because."}),), ("answer_rate",)))
    "task 'qa': no answer was compared with a reference; its rows have 'answer', which nothing maps: rename it to \
'references', or map it with doc_to_target in a YAML task"
    """
    if task.metrics[0] in _BY_METADATA or any(sample.references for sample in task.samples):
        return ""
    found = sorted({name for sample in task.samples for name in sample.metadata if name.lower() in _LIKELY})
    said = f"task '{task.name}': no answer was compared with a reference; "
    if not found:
        return said + "its rows have no references, so only drift is measured: add 'references' to score the answers"
    return said + (
        f"its rows have '{found[0]}', which nothing maps: rename it to 'references', or map it with doc_to_target in a "
        "YAML task"
    )
