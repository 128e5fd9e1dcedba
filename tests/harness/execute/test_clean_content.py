"""Metrics read the clean content of a sample, also for answers to perturbed prompts."""

from collections.abc import Callable

from holdfast import Results
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake


def test_answers_are_compared_with_the_clean_source(run: Callable[..., Results]) -> None:
    content = "Then Anna paid 20 euros to Ben, and Carla paid 30 euros to David."
    task = Task("chats", (Sample("1", content),), ("source_facts",))
    told = run(Fake(rule=lambda request: content), tasks=task, perturbations="word_deletion@0.5")
    assert told.samples["edit_rate"].max() > 0.2
    assert (told.samples[["number_precision", "name_precision", "source_name_recall"]] == 1).all(axis=None)
