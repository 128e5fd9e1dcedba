"""What a check says of groups of samples: exploratory rows, a note on the worst, items as clusters."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from holdfast import Results, check
from holdfast.harness.backends import Request
from holdfast.harness.results.check.inference.differences import Pairs, difference
from holdfast.harness.results.check.printing.markdown import markdown
from holdfast.harness.results.check.printing.screen import screen
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]
LANGUAGES = {"en": ("Name the king with number", 100), "hi": ("Batao raja number", 500)}


def kings(items: int) -> Task:
    samples = [
        Sample(
            f"{language}{i}",
            f"{start} {i + offset} please",
            ("right",),
            {"group": {"language": language}, "item": f"{i}"},
        )
        for i in range(items)
        for language, (start, offset) in LANGUAGES.items()
    ]
    return Task("kings", tuple(samples), ("exact_match",))


def only_english(request: Request) -> str:
    hindi = int("".join(filter(str.isdigit, request.prompt))) >= 500  # no perturbation changes a number
    return "wrong" if request.adapter == "new" and hindi else "right"


@pytest.fixture
def result(run: Evaluate, tmp_path: Path):  # type: ignore[no-untyped-def]
    folder = run(
        Fake(rule=only_english),
        tasks=kings(15),
        adapters="old=pocket-steady,new=pocket-narrow",
        perturbations="punctuation@0.1",
    ).path
    return check(f"{folder}:old", f"{folder}:new", budgets={"primary": {"kings": {"clean": {"max_loss": 0.05}}}})


def test_each_group_has_a_change_worst_first(result) -> None:  # type: ignore[no-untyped-def]
    hindi, english = result.groups
    assert (hindi.group, hindi.samples, hindi.old, hindi.new, hindi.change) == ("language=hi", 15, 1.0, 0.0, -1.0)
    assert (english.group, english.change) == ("language=en", 0.0)
    assert result.worst_group == hindi
    assert [each["group"] for each in result.to_dict()["groups"]] == ["language=hi", "language=en"]


def test_the_worst_group_is_named_and_decides_nothing(result) -> None:  # type: ignore[no-untyped-def]
    for text in (screen(result), markdown(result)):
        assert "worst of 2 groups: language" in " ".join(text.split()).replace("\\", "")
        assert "exploratory" in text
    assert [primary.metric for primary in result.primaries] == ["clean"]
    assert all(len(line) <= 78 for line in screen(result).splitlines() if "/" not in line)


def test_forms_of_one_item_are_one_observation(result) -> None:  # type: ignore[no-untyped-def]
    [primary] = result.primaries
    items = np.repeat(np.arange(15), 2)
    expected = difference(Pairs(np.ones(30), np.tile([1.0, 0.0], 15), items)).interval(0.95)
    assert (primary.low, primary.high) == pytest.approx(expected)
    assert (primary.change, primary.samples) == (-0.5, 30)


def test_a_run_without_groups_says_nothing_of_them(pairs_of: Callable[..., str]) -> None:
    folder = pairs_of(12, old=0.0, new=0.5)
    found = check(f"{folder}:old", f"{folder}:new")
    assert found.groups == ()
    assert "exploratory" not in screen(found)
