"""Classification by generation: the label that an answer affirms."""

from collections.abc import Sequence

from holdfast.metrics.label_mentions import affirmed_labels, label_form
from holdfast.metrics.metric import Metadata, Scores, sample_metric


@sample_metric("label_accuracy", {"label_accuracy": True, "label_given": True}, given="label_given")
def label_accuracy(
    outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
) -> list[Scores]:
    """Return 1 if the label that the output affirms is a reference; `label_given` is 1 if it affirms exactly one.

    A label that is denied ("not positive") or only asked about is not affirmed, and an answer that affirms several
    labels gives none; several references count as one label. A sample without references gets no score. The labels
    are `metadata["labels"]`, which a task fills in (`holdfast.tasks.Task`), or the references if there are none.

    >>> label_accuracy(["Not negative: it is positive."], [["positive"]], [{"labels": ["positive", "negative"]}])
    [{'label_accuracy': 1.0, 'label_given': 1.0}]
    """
    rows: list[Scores] = []
    for output, answers, about in zip(outputs, references, metadata, strict=True):
        given = affirmed_labels(output, about.get("labels", answers))
        right = given & set(map(label_form, answers))
        single = len(given) == max(1, len(right))
        rows.append({"label_accuracy": float(single and bool(right)), "label_given": float(single)} if answers else {})
    return rows
