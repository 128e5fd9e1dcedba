"""The right label of a classification, and the one that an answer gives."""

from holdfast.harness.plan.plan import Item
from holdfast.metrics.label_mentions import affirmed_labels, label_form
from holdfast.tasks.task_labels import LABEL_METRIC


def labels_of(item: Item, output: str) -> tuple[str, str] | None:
    """Return the right label and the predicted one, as the task spells them; None if the task has no labels.

    As for `label_accuracy`, several references count as one label, and an answer that affirms none or several predicts
    "".

    Args:
        item: What was asked.
        output: The answer.
    """
    task, sample = item.question.task, item.question.sample
    if LABEL_METRIC not in task.metrics or not sample.references:
        return None
    spelled = {label_form(label): label for label in (*sample.references[1:], *sample.metadata["labels"])}
    accepted = [label_form(reference) for reference in sample.references]
    right = spelled.get(accepted[0], sample.references[0])
    given = affirmed_labels(task.judged(output) if task.filters else output, sample.metadata["labels"])
    if given and given <= set(accepted):
        return right, right
    return right, spelled[min(given)] if len(given) == 1 else ""
