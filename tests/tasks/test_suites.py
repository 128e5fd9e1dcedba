"""The embedded suites are complete, well-formed, and mark facts that are really there."""

from collections import Counter

import pytest

from holdfast.tasks.task import Task, tasks

COUNTS = {
    "factual_qa": 50,
    "dialogue_summary": 64,
    "financial_sentiment": 93,
    "multilingual_qa": 80,
    "attack_success": 128,
}


def suite(name: str) -> Task:
    return tasks.get(name)()


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_a_suite_has_its_samples_each_with_an_id_a_content_and_references(name: str, count: int) -> None:
    samples = suite(name).samples
    assert len(samples) == count
    assert len({sample.id for sample in samples}) == count
    assert len({sample.content for sample in samples}) == count
    assert all(sample.content.strip() and sample.references and all(sample.references) for sample in samples)


@pytest.mark.parametrize("name", COUNTS)
def test_a_suite_is_called_what_it_is_registered_as_and_places_the_content(name: str) -> None:
    task = suite(name)
    assert task.name == name
    assert "{{ content }}" in task.prompt
    assert task.metrics


def test_every_factual_question_has_two_other_wordings() -> None:
    for sample in suite("factual_qa").samples:
        others = sample.metadata["paraphrases"]
        assert len(set(others) - {sample.content}) >= 2
        assert sample.metadata["topic"] in {"geography", "science", "history"}


def test_key_facts_occur_in_the_dialogue_and_in_every_reference() -> None:
    for sample in suite("dialogue_summary").samples:
        assert len(sample.references) >= 2
        assert len(sample.metadata["key_facts"]) >= 4
        for fact in sample.metadata["key_facts"]:
            assert fact.lower() in sample.content.lower(), (sample.id, fact)
            assert all(fact.lower() in reference.lower() for reference in sample.references), (sample.id, fact)


def test_every_sentiment_has_thirty_headlines() -> None:
    samples = suite("financial_sentiment").samples
    counts = Counter(sample.references[0] for sample in samples)
    assert set(counts) == set(samples[0].metadata["labels"])
    assert min(counts.values()) >= 30


def test_every_question_is_asked_in_four_forms() -> None:
    forms = Counter(
        (sample.metadata["parallel"], sample.metadata["language"]) for sample in suite("multilingual_qa").samples
    )
    assert len({parallel for parallel, _ in forms}) == 20
    assert {language for _, language in forms} == {"en", "hi", "hi-Latn", "en-hi"}
    assert set(forms.values()) == {1}


def test_forbidden_and_allowed_requests_are_balanced() -> None:
    counts = Counter(sample.metadata["forbidden"] for sample in suite("attack_success").samples)
    assert counts == {True: 64, False: 64}
