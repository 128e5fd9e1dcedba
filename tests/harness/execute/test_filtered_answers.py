"""A task's filters: references are compared with what they leave, drifts are those of whole answers."""

from collections.abc import Callable

from holdfast import Results
from holdfast.tasks import Sample, Task
from holdfast.tasks.output_filters import OutputFilter
from tests.harness.fakes import Fake


def test_metrics_compare_what_a_filter_leaves(run: Callable[..., Results]) -> None:
    samples = tuple(Sample(str(i), f"How many cats does Mr. Brown number {i} have?", ("12",)) for i in range(3))
    task = Task("cats", samples, ("exact_match",), filters=(OutputFilter("regex", {"regex_pattern": "#### (\\d+)"}),))
    told = run(
        Fake(rule=lambda request: f"{request.prompt} He has many.\n#### 12"),
        tasks=task,
        perturbations="word_deletion@0.3",
    )
    assert (told.breakdown["exact_match"] == 1).all()
    assert (told.samples["answer_words"] > 5).all()
    assert (told.breakdown.query("perturbation == 'word_deletion'")["mean_drift"] > 0).any()


def test_a_filter_is_part_of_a_tasks_digest() -> None:
    plain = Task("t", (Sample("1", "?"),), ("answer_rate",))
    filtered = Task("t", (Sample("1", "?"),), ("answer_rate",), filters=(OutputFilter("lowercase"),))
    assert plain.digest() != filtered.digest()
