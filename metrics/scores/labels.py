"""Classification by generation: the label that an answer mentions."""

from collections.abc import Sequence

from holdfast.metrics.metric import Metadata, Scores, sample_metric
from holdfast.metrics.words import find_words, words


@sample_metric("label_accuracy", {"label_accuracy": True, "label_given": True})
def label_accuracy(
    outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
) -> list[Scores]:
    """Return 1 if the first label that the output mentions is a reference; `label_given` is 0 if it mentions none.

    The labels are `metadata["labels"]`, or the references if there are none.

    >>> label_accuracy(["It is positive."], [["positive"]], [{"labels": ["positive", "negative"]}])
    [{'label_accuracy': 1.0, 'label_given': 1.0}]
    """
    rows = []
    for output, answers, about in zip(outputs, references, metadata, strict=True):
        given = _first_label(output, about.get("labels", answers))
        right = given is not None and given in {answer.casefold() for answer in answers}
        rows.append({"label_accuracy": float(right), "label_given": float(given is not None)})
    return rows


def _first_label(output: str, labels: Sequence[str]) -> str | None:
    said = words(output)
    places = {label.casefold(): find_words(words(label), said) for label in labels}
    found = {label: (at, -len(label)) for label, at in places.items() if at is not None}
    return min(found, key=lambda label: found[label]) if found else None
