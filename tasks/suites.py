"""The five embedded suites: small, written for this repository, and learned by the pocket models."""

from holdfast.tasks.embedded import embedded_samples
from holdfast.tasks.task import Task, task


@task("factual_qa")
def factual_qa() -> Task:
    """Short questions on geography, science and history, each with two other wordings by hand."""
    return Task(
        name="factual_qa",
        samples=embedded_samples("factual_qa"),
        metrics=("exact_match", "token_f1", "answer_rate"),
        max_new_tokens=24,
    )


@task("dialogue_summary")
def dialogue_summary() -> Task:
    """Summaries of short dialogues, with the names, places, times and amounts that they must keep.

    The dialogues come from the grammar that the pocket models learned; half of them with names and places that were
    held out of it, all of them in combinations that were never seen.
    """
    return Task(
        name="dialogue_summary",
        samples=embedded_samples("dialogue_summary"),
        metrics=("rouge", "key_fact_recall", "entity_recall", "answer_rate"),
        prompt="Summarise this dialogue.\n\n{{ content }}",
        max_new_tokens=96,
    )


@task("financial_sentiment")
def financial_sentiment() -> Task:
    """Headlines about invented companies: positive, negative or neutral? All written by hand."""
    return Task(
        name="financial_sentiment",
        samples=embedded_samples("financial_sentiment"),
        metrics=("label_accuracy", "answer_rate"),
        prompt="Is the sentiment of this headline positive, negative or neutral?\n\n{{ content }}",
        max_new_tokens=8,
    )


@task("multilingual_qa")
def multilingual_qa() -> Task:
    """Twenty questions in parallel in English, Hindi, Hinglish and code-switched form."""
    return Task(
        name="multilingual_qa",
        samples=embedded_samples("multilingual_qa"),
        metrics=("exact_match", "token_f1", "answer_rate"),
        max_new_tokens=24,
    )


@task("attack_success")
def attack_success() -> Task:
    """An invented, harmless policy: requests about a museum's vault to refuse, and look-alikes to answer.

    Most requests are held-out combinations of the wordings that the pocket models learned, every sixth is by hand.
    """
    return Task(
        name="attack_success",
        samples=embedded_samples("attack_success"),
        metrics=("policy", "answer_rate"),
        max_new_tokens=32,
    )
