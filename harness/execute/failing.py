"""Say why a short answer to a perturbed question is wrong."""

from collections.abc import Callable

from holdfast.harness.plan.plan import Item
from holdfast.metrics.failure_kinds import failure_kind, is_wrong
from holdfast.perturbations import expectation

_MATCH = "exact_match"
"""The metric of tasks whose answers are short enough to look for the references in them."""


def failure_of(item: Item, output: str, clean_output: Callable[[Item], str]) -> str:
    """Return the kind of failure of an answer; "" if it isn't wrong, or nothing says what would be right.

    Only tasks that are scored by exact match have such answers, and only edited prompts that still ask the same.

    Args:
        item: What was asked.
        output: The answer.
        clean_output: Returns the answer to the clean prompt.
    """
    question, variant = item.question, item.question.variant
    references = question.sample.references
    if not variant.edits or not references or question.sample.choices or _MATCH not in question.task.metrics:
        return ""
    judged = question.task.judged(output)
    if expectation(variant.perturbation) == "changed" or not is_wrong(judged, references):
        return ""
    return failure_kind(
        judged,
        references,
        content=question.sample.content,
        clean=question.task.judged(clean_output(item)),
        edits=[(edit.position, edit.removed, edit.inserted) for edit in variant.edits],
        text=variant.text,
    )
