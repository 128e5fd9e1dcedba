"""Which key facts, numbers and names an output keeps, and which of its own the source doesn't have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.language.compared_words import compared_words, find_words
from holdfast.metrics.metric import CONTENT, Metadata, Scores, sample_metric

if TYPE_CHECKING:
    from holdfast.metrics.facts import Facts


@sample_metric("key_fact_recall", {"key_fact_recall": True})
def key_fact_recall(
    outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
) -> list[Scores]:
    """Return the share of `metadata["key_facts"]` (strings) that the output contains as whole words.

    In scripts without spaces between words, a fact may stand anywhere in the text. A sample without key facts gets no
    score.

    >>> key_fact_recall(["Anna meets Ben at 5 pm."], [[]], [{"key_facts": ["Anna", "6 pm"]}])
    [{'key_fact_recall': 0.5}]
    """
    return [
        {"key_fact_recall": _recall(about["key_facts"], output)} if about.get("key_facts") else {}
        for output, about in zip(outputs, metadata, strict=True)
    ]


@sample_metric("entity_recall", {"number_recall": True, "name_recall": True})
def entity_recall(
    outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
) -> list[Scores]:
    """Return the share of the first reference's numbers and names that the output also contains.

    Numbers include dates and times. They match in any notation or unit (see `unmatched`), and one without a unit
    matches one with it; a weekday matches any date. `number_recall` is left out if the reference has no numbers,
    `name_recall` if it has no names.

    >>> entity_recall(["Anna pays 20 euros."], [["In Paris, Anna pays 30 euros."]], [{}])
    [{'number_recall': 0.0, 'name_recall': 0.5}]
    """
    from holdfast.metrics.facts import facts_of

    return [
        _shares(facts_of(answers[0]), facts_of(output), "number_recall", "name_recall") if answers else {}
        for output, answers in zip(outputs, references, strict=True)
    ]


@sample_metric(
    "source_facts",
    {"number_precision": True, "name_precision": True, "source_number_recall": True, "source_name_recall": True},
)
def source_facts(
    outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
) -> list[Scores]:
    """Compare the output's numbers and names with those of the sample's clean content, such as a text to summarise.

    The precision is the share of the output's that the content has, so that the rest is invented; the recall is the
    share of the content's that the output keeps, which is low for any short summary. Both match like `entity_recall`,
    and a share of nothing is left out.

    >>> source_facts(["Anna pays 20 euros."], [[]], [{"content": "Anna pays 30 euros to Ben."}])
    [{'number_precision': 0.0, 'name_precision': 1.0, 'source_number_recall': 0.0, 'source_name_recall': 0.5}]
    """
    from holdfast.metrics.facts import facts_of

    rows: list[Scores] = []
    for output, about in zip(outputs, metadata, strict=True):
        row: Scores = {}
        if CONTENT in about:
            said, source = facts_of(output), facts_of(about[CONTENT])
            row |= _shares(said, source, "number_precision", "name_precision")
            row |= _shares(source, said, "source_number_recall", "source_name_recall")
        rows.append(row)
    return rows


def _shares(wanted: Facts, there: Facts, numbers: str, names: str) -> Scores:
    """Return the share of the wanted numbers and of the wanted names that the other text has, where any are wanted."""
    from holdfast.metrics.facts import unmatched

    row: Scores = {}
    if wanted.numbers:
        row[numbers] = 1 - len(unmatched(wanted.quantities, there.quantities)) / len(wanted.numbers)
    if wanted.names:
        said = compared_words(there.text)
        row[names] = sum(_has_name(name, said) for name in wanted.names) / len(wanted.names)
    return row


def _has_name(name: str, said: Sequence[str]) -> bool:
    """Return whether the text says each word of a name, in any order."""
    return all(find_words(compared_words(word), said) is not None for word in name.split())


def _recall(facts: Sequence[str], output: str) -> float:
    said = compared_words(output)
    return sum(find_words(compared_words(fact), said) is not None for fact in facts) / len(facts)
