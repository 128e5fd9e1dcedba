"""Which labels are taken for which."""

from typing import TYPE_CHECKING, Any

from holdfast.harness.results.classification.class_answers import LABEL, PREDICTED

if TYPE_CHECKING:
    import pandas as pd


def confusion_table(answers: "pd.DataFrame") -> "pd.DataFrame | None":
    """Return a row for each adapter, task, kind of prompts (clean or perturbed), right label and predicted label.

    Args:
        answers: What `class_answers` returns.

    Returns:
        How many answers there are of each pair (pairs without any included), and their share of the right label's. An
        answer without a label has an empty `predicted`. None if no answer has a label.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for (adapter, task), mine in answers.groupby(["adapter", "task"], sort=False):
        classes = sorted({*mine[LABEL], *mine[PREDICTED]} - {""})
        guesses = [*classes, ""] if (mine[PREDICTED] == "").any() else classes
        for prompts, part in mine.groupby("prompts", sort=True):
            counts = part.groupby([LABEL, PREDICTED]).size()
            sizes = part[LABEL].value_counts()
            for label in (name for name in classes if name in sizes):
                for predicted in guesses:
                    count = int(counts.get((label, predicted), 0))
                    about = {"adapter": adapter, "task": task, "prompts": prompts, "label": label}
                    rows.append({**about, "predicted": predicted, "count": count, "share": count / sizes[label]})
    return pd.DataFrame(rows).round(6) if rows else None
