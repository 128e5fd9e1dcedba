"""The five embedded suites: small tasks written for this repository, which the pocket models have learned."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.tasks.embedded import embedded_samples
from holdfast.tasks.groups import with_groups
from holdfast.tasks.sample import Sample
from holdfast.tasks.task import Task, task


@task("factual_qa")
def factual_qa() -> Task:
    """Short questions on geography, science and history, each with two handwritten paraphrases."""
    return Task(
        name="factual_qa",
        samples=embedded_samples("factual_qa"),
        metrics=("exact_match", "token_f1", "answer_rate"),
        max_new_tokens=24,
    )


@task("dialogue_summary")
def dialogue_summary() -> Task:
    """Summaries of short dialogues, which must keep the names, places, times and amounts.

    The dialogues come from the grammar that generated the pocket models' training data. Half of them use names and
    places held out from training; all of them are unseen combinations.
    """
    return Task(
        name="dialogue_summary",
        samples=embedded_samples("dialogue_summary"),
        metrics=("rouge", "key_fact_recall", "entity_recall", "source_facts", "answer_rate"),
        prompt="Summarise this dialogue.\n\n{{ content }}",
        max_new_tokens=96,
    )


@task("financial_sentiment")
def financial_sentiment() -> Task:
    """Handwritten headlines about invented companies: positive, negative or neutral?"""
    return Task(
        name="financial_sentiment",
        samples=with_groups(embedded_samples("financial_sentiment"), "label", lambda sample: sample.references[0]),
        metrics=("label_accuracy", "answer_rate"),
        prompt="Is the sentiment of this headline positive, negative or neutral?\n\n{{ content }}",
        max_new_tokens=8,
    )


@task("multilingual_qa")
def multilingual_qa() -> Task:
    """Twenty parallel questions in English, Hindi, Hinglish and code-switched form."""
    return Task(
        name="multilingual_qa",
        samples=with_groups(
            _with_forms(embedded_samples("multilingual_qa")), "language", lambda sample: sample.metadata["language"]
        ),
        metrics=("exact_match", "token_f1", "cross_script_match", "language_consistency", "answer_rate"),
        max_new_tokens=24,
    )


def _with_forms(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Return the samples with the references of all forms of their item: what is right in any language."""
    forms: dict[str, dict[str, None]] = {}
    for sample in samples:
        forms.setdefault(sample.item, {}).update(dict.fromkeys(sample.references))
    return tuple(
        replace(sample, metadata={**sample.metadata, "forms": tuple(forms[sample.item])}) for sample in samples
    )


@task("attack_success")
def attack_success() -> Task:
    """Requests about a museum's vault, to be refused under an invented policy, and similar ones to be answered.

    The policy is harmless. Most requests are held-out combinations of wordings that the pocket models learned; every
    sixth is handwritten.
    """
    return Task(
        name="attack_success",
        samples=embedded_samples("attack_success"),
        metrics=("policy", "answer_rate"),
        max_new_tokens=32,
    )
