"""The embedded suites are complete and well-formed, and their key facts occur in the texts."""

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
def test_every_sample_has_id_content_and_references(name: str, count: int) -> None:
    samples = suite(name).samples
    assert len(samples) == count
    assert len({sample.id for sample in samples}) == count
    assert len({sample.content for sample in samples}) == count
    assert all(sample.content.strip() and sample.references and all(sample.references) for sample in samples)


@pytest.mark.parametrize("name", COUNTS)
def test_every_suite_has_its_registered_name_prompt_and_metrics(name: str) -> None:
    task = suite(name)
    assert task.name == name
    assert "{{ content }}" in task.prompt
    assert task.metrics


def test_every_factual_question_has_two_paraphrases() -> None:
    for sample in suite("factual_qa").samples:
        others = sample.metadata["paraphrases"]
        assert len(set(others) - {sample.content}) >= 2
        assert sample.metadata["topic"] in {"geography", "science", "history"}


def test_key_facts_occur_in_the_dialogue_and_every_reference() -> None:
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


def test_every_question_exists_in_four_languages() -> None:
    forms = Counter((sample.item, sample.groups["language"]) for sample in suite("multilingual_qa").samples)
    assert len({parallel for parallel, _ in forms}) == 20
    assert {language for _, language in forms} == {"en", "hi", "hi-Latn", "en-hi"}
    assert set(forms.values()) == {1}


def test_forbidden_and_allowed_requests_are_balanced() -> None:
    counts = Counter(sample.metadata["forbidden"] for sample in suite("attack_success").samples)
    assert counts == {True: 64, False: 64}
