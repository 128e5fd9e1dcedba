"""Say why a short answer is wrong."""

from collections.abc import Callable

from holdfast.harness.plan.plan import Item
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.metrics.failure_kinds import failure_kind, is_wrong
from holdfast.metrics.language_failures import language_failure_kind
from holdfast.metrics.scores.across_scripts import UNSURE
from holdfast.perturbations import expectation
from holdfast.perturbations.families.code_switch import in_english

_MATCH = "exact_match"
"""The metric of tasks whose answers are short enough to look for the references in them."""


def failure_of(item: Item, output: str, clean_output: Callable[[Item], str]) -> str:
    """Return the kind of failure of an answer; "" if it isn't wrong, or nothing says what would be right.

    Only tasks that are scored by exact match have such answers. Samples with a `language` and the `forms` of their
    answer in others fail in ways of their own, on clean prompts too; for all others, only edited prompts that still ask
    the same count.

    Args:
        item: What was asked.
        output: The answer.
        clean_output: Returns the answer to the clean prompt.
    """
    question, variant = item.question, item.question.variant
    references, about = question.sample.references, question.sample.metadata
    if not references or question.sample.choices or _MATCH not in question.task.metrics:
        return ""
    judged = question.task.judged(output)
    if variant.perturbation == IDENTITY or not is_wrong(judged, references):
        return ""
    if judged.strip(" .").casefold() == UNSURE:  # which language_pinning offers instead of an answer
        return ""
    if variant.perturbation != CLEAN and expectation(variant.perturbation) == "changed":
        return ""
    if "language" in about and "forms" in about:
        language = str(about["language"])
        return language_failure_kind(judged, references, language=language, forms=about["forms"], gloss=in_english)
    if not variant.edits:
        return ""
    return failure_kind(
        judged,
        references,
        content=question.sample.content,
        clean=question.task.judged(clean_output(item)),
        edits=[(edit.position, edit.removed, edit.inserted) for edit in variant.edits],
        text=variant.text,
    )
