"""Recall metrics: which key facts, numbers and names an output contains."""

from collections.abc import Sequence

from holdfast.metrics.compared_words import find_words, spaced_words, words
from holdfast.metrics.metric import Metadata, Scores, sample_metric


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

    `number_recall` is left out if the reference has no numbers, `name_recall` if it has no names.

    >>> entity_recall(["Anna pays 20 euros."], [["In Paris, Anna pays 30 euros."]], [{}])
    [{'number_recall': 0.0, 'name_recall': 0.5}]
    """
    from holdfast.metrics.facts import facts_of, value_of

    rows = []
    for output, answers in zip(outputs, references, strict=True):
        expected = facts_of(answers[0]) if answers else facts_of("")
        got = facts_of(output)
        row: Scores = {}
        if expected.numbers:
            values = {value_of(number) for number in got.numbers}
            row["number_recall"] = sum(value_of(n) in values for n in expected.numbers) / len(expected.numbers)
        if expected.names:
            said = words(output)
            row["name_recall"] = sum(_has_name(name, said) for name in expected.names) / len(expected.names)
        rows.append(row)
    return rows


def _has_name(name: str, said: Sequence[str]) -> bool:
    """Return whether the text says each word of a name, in any order."""
    return all(find_words(words(word), said) is not None for word in spaced_words(name))


def _recall(facts: Sequence[str], output: str) -> float:
    said = words(output)
    return sum(find_words(words(fact), said) is not None for fact in facts) / len(facts)
