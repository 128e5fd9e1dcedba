"""The worst variant: over repeats, by random and by greedy search; and what it shrinks to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import Results
from holdfast.errors import UserError
from holdfast.harness.actions.shrinking import fewest, shrink
from holdfast.harness.backends import Request
from holdfast.metrics import sample_metric
from holdfast.tasks import Task
from tests.harness.fakes import Fake, Killed

Evaluate = Callable[..., Results]


def lines_of(results: Results) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (results.path / "samples.jsonl").read_text().splitlines()]


def test_worst_is_the_worst_repeat_of_each_sample(run: Evaluate) -> None:
    results = run(Fake(), perturbations="word_deletion@0.3", repeats=4, aggregate="mean,worst")
    cell = results.breakdown.query("adapter == 'base' and perturbation == 'word_deletion'").iloc[0]
    asked = [
        line for line in lines_of(results) if line["adapter"] == "base" and line["perturbation"] == "word_deletion"
    ]
    worst = {}
    for line in asked:
        score, drift = line["scores"]["token_f1"], line["scores"]["max_drift"]
        before = worst.get(line["sample"], (1.0, 0.0))
        worst[line["sample"]] = min(before[0], score), max(before[1], drift)
    assert cell["worst"] == pytest.approx(sum(score for score, _ in worst.values()) / len(worst), abs=1e-5)
    assert cell["worst_max_drift"] == pytest.approx(sum(drift for _, drift in worst.values()) / len(worst), abs=1e-5)
    assert cell["worst"] <= cell["perturbed"]
    assert cell["worst_max_drift"] >= cell["max_drift"]


def test_worst_is_the_highest_score_if_lower_is_better(run: Evaluate, task: Task) -> None:
    sample_metric("words_lost", {"words_lost": False}, unbounded=frozenset({"words_lost"}))(
        lambda outputs, references, metadata: [{"words_lost": 20.0 - len(output.split())} for output in outputs]
    )
    lower = Task(task.name, task.samples, ("words_lost",))
    results = run(
        Fake(), tasks=[lower], perturbations="word_deletion@0.4,char_deletion@0.3", repeats=5, aggregate="worst"
    )
    cells = results.breakdown.dropna(subset="worst").query("perturbation != 'clean' and perturbation != 'identity'")
    assert (cells["worst"] >= cells["perturbed"]).all()


def test_random_search_takes_the_worst_of_n_and_keeps_the_mean(run: Evaluate, tmp_path: Path) -> None:
    plain = run(Fake(), perturbations="typos@0.1")
    searched = run(Fake(), perturbations="typos@0.1", search="random:5", output_path=tmp_path / "searched")
    before = plain.breakdown.query("perturbation == 'typos'")
    after = searched.breakdown.query("perturbation == 'typos'")
    assert list(before["perturbed"]) == list(after["perturbed"])
    assert (after["worst_max_drift"] >= after["max_drift"]).all()
    assert len({line["repeat"] for line in lines_of(searched)}) == 5


def test_greedy_search_does_more_damage_at_the_same_strength(run: Evaluate) -> None:
    results = run(Fake(), perturbations="word_deletion@0.3", search="greedy:6")
    asked = [line for line in lines_of(results) if line["perturbation"] == "word_deletion"]
    first = {(line["adapter"], line["sample"]): line for line in asked if line["repeat"] == 0}
    assert {line["repeat"] for line in asked} == set(range(6))
    for line in asked:
        assert 1 <= len(line["edits"]) <= len(first[line["adapter"], line["sample"]]["edits"])
    cell = results.breakdown.query("adapter == 'base' and perturbation == 'word_deletion'").iloc[0]
    assert cell["worst"] <= cell["perturbed"]


def test_greedy_search_improves_on_its_first_guess(run: Evaluate) -> None:
    needle = Fake(rule=lambda request: "lost" if "whale" not in request.prompt else "reference 1")
    found = run(needle, perturbations="word_deletion@0.3", search="greedy:12")
    whale = [line for line in lines_of(found) if line["sample"] == "s1" and line["adapter"] == "base"]
    assert any(line["output"] == "lost" for line in whale) or all(line["repeat"] == 0 for line in whale)
    assert found.leaderboard["worst"].max() <= found.leaderboard["perturbed"].min()


@pytest.mark.parametrize("death", [1, 6, 12, 17])
def test_a_killed_search_resumes_unchanged(run: Evaluate, tmp_path: Path, death: int) -> None:
    asked = {"perturbations": "typos@0.1,word_deletion@0.3", "search": "greedy:4"}
    whole = run(Fake(), **asked, output_path=tmp_path / "whole")
    with pytest.raises(Killed):
        run(Fake(dies_at=death), **asked, output_path=tmp_path / "killed")
    again = run(Fake(), **asked, output_path=tmp_path / "killed")
    assert (again.path / "samples.jsonl").read_bytes() == (whole.path / "samples.jsonl").read_bytes()


@pytest.mark.parametrize("search", ["greedy", "greedy:0", "best:3", "random:x"])
def test_an_invalid_search_is_named(run: Evaluate, search: str) -> None:
    with pytest.raises(UserError, match="^search: "):
        run(Fake(), search=search)


def test_a_random_search_has_a_mean_wherever_it_has_a_worst(run: Evaluate) -> None:
    """If the first variant of a sample is excluded, the next one takes its place."""
    results = run(Fake(), perturbations="word_deletion@0.5", search="random:6", min_meaning=0.7)
    cells = results.breakdown.query("perturbation == 'word_deletion'")
    asked = {line["sample"]: 6 for line in lines_of(results) if line["perturbation"] == "word_deletion"}
    first = {
        line["sample"] for line in lines_of(results) if line["perturbation"] == "word_deletion" and not line["repeat"]
    }
    assert first < asked.keys()
    assert list(cells["n"]) == [len(asked)] * 2
    assert (cells["worst"] <= cells["perturbed"]).all()


def test_greedy_search_starts_from_the_repeats(run: Evaluate, tmp_path: Path) -> None:
    plain = run(Fake(), perturbations="word_deletion@0.3", repeats=3, output_path=tmp_path / "plain")
    found = run(Fake(), perturbations="word_deletion@0.3", repeats=3, search="greedy:5")
    before, after = (each.breakdown.query("perturbation == 'word_deletion'") for each in (plain, found))
    assert list(before["perturbed"]) == list(after["perturbed"])
    assert {line["repeat"] for line in lines_of(found)} <= set(range(5))
    assert (after["worst"] <= after["perturbed"]).all()


@pytest.mark.parametrize("search", ["greedy:3", "random:2"])
def test_a_search_without_effect_is_refused(run: Evaluate, search: str) -> None:
    with pytest.raises(UserError, match=f"--search {search} has no effect, since --repeats 3 already draws as many"):
        run(Fake(), search=search, repeats=3)


@given(st.sets(st.integers(0, 11), min_size=1), st.integers(12, 16))
def test_shrinking_finds_exactly_the_needed_edits(needed: set[int], count: int) -> None:
    assert set(fewest(count, lambda subsets: [needed <= set(subset) for subset in subsets])) == needed


@given(st.lists(st.sets(st.integers(0, 9), min_size=1), min_size=1, max_size=4))
def test_none_of_the_remaining_edits_can_be_removed(causes: list[set[int]]) -> None:
    def still(subset: tuple[int, ...]) -> bool:
        return any(cause <= set(subset) for cause in causes)

    kept = fewest(10, lambda subsets: [still(subset) for subset in subsets])
    assert still(kept)
    assert not any(still(tuple(each for each in kept if each != left)) for left in kept if len(kept) > 1)


ONE_CAUSE = Fake(rule=lambda request: "Anna left it at home." if "umbrella" in request.prompt else "Nobody knows.")


def shrinkable(run: Evaluate, tmp_path: Path) -> tuple[Results, str]:
    prompts = tmp_path / "prompts.jsonl"
    content = "Where did Anna leave the red umbrella on that rainy evening before she went to the station?"
    prompts.write_text(json.dumps({"id": "1", "content": content, "references": ["at home"]}) + "\n")
    results = run(ONE_CAUSE, tasks=[str(prompts)], perturbations="word_deletion@0.6", repeats=8, adapters="base")
    moved = [line for line in lines_of(results) if line["output"] == "Nobody knows."]
    return results, max(moved, key=lambda line: len(line["edits"]))["key"]


def test_a_variant_shrinks_to_the_edit_responsible(run: Evaluate, tmp_path: Path) -> None:
    results, key = shrinkable(run, tmp_path)
    found = shrink(results.path, key, backend=ONE_CAUSE)
    assert len(found.before.edits) > 5
    assert [edit.removed.strip() for edit in found.after.edits] == ["umbrella"]
    assert found.after_output == "Nobody knows."
    assert found.after_drift >= found.threshold
    assert found.asked < 2 ** len(found.before.edits)


def test_a_choice_shrinks_as_it_was_asked(run: Evaluate, tmp_path: Path) -> None:
    def rule(request: Request) -> str:
        return request.choices["umbrella" not in request.prompt] if request.choices else "written freely"

    prompts = tmp_path / "prompts.jsonl"
    content = "Where did Anna leave the red umbrella on that rainy evening before she went to the station?"
    line = {"id": "1", "content": content, "references": ["at home"], "choices": ["at home", "nobody knows"]}
    prompts.write_text(json.dumps(line) + "\n")
    asked = {"perturbations": "word_deletion@0.6", "repeats": 8, "adapters": "base", "mitigations": "robust_prompt"}
    results = run(Fake(rule=rule), tasks=[str(prompts)], **asked)
    moved = [line for line in lines_of(results) if line["output"] == "nobody knows"]
    assert {line["adapter"] for line in moved} == {"base", "base+robust_prompt"}
    for adapter in ("base", "base+robust_prompt"):
        mine = [line for line in moved if line["adapter"] == adapter]
        found = shrink(results.path, max(mine, key=lambda line: len(line["edits"]))["key"], backend=Fake(rule=rule))
        assert [edit.removed.strip() for edit in found.after.edits] == ["umbrella"]
        assert found.after_output == "nobody knows"


def test_the_form_of_a_prompt_has_no_edits_to_shrink(run: Evaluate, tmp_path: Path) -> None:
    rule = lambda request: "one" if "question:" in request.prompt.lower() else "two words"  # noqa: E731
    results = run(Fake(rule=rule), tasks=["examples/quiz.yaml"], perturbations="format", adapters="base", limit=2)
    key = next(line["key"] for line in lines_of(results) if line["perturbation"] == "format")
    with pytest.raises(UserError, match="format changes the form of the whole prompt"):
        shrink(results.path, key, backend=Fake(rule=rule))


def test_without_a_key_the_worst_variant_is_shrunk(run: Evaluate, tmp_path: Path) -> None:
    results, _ = shrinkable(run, tmp_path)
    assert "umbrella" in "".join(edit.removed for edit in shrink(results.path, backend=ONE_CAUSE).after.edits)


def test_a_variant_that_cannot_be_shrunk_is_named(run: Evaluate, tmp_path: Path) -> None:
    results, key = shrinkable(run, tmp_path)
    clean = next(line["key"] for line in lines_of(results) if line["perturbation"] == "clean")
    same = next(line["key"] for line in lines_of(results) if line["perturbation"] == "identity")
    for wrong, message in (
        ("0" * 16, "no answer in .* has the key '0000"),
        (clean, "is the answer to the clean prompt"),
        (same, "did not drift"),
    ):
        with pytest.raises(UserError, match=message):
            shrink(results.path, wrong, backend=ONE_CAUSE)
    with pytest.raises(UserError, match="is not stable enough to shrink"):
        shrink(results.path, key, backend=Fake(rule=lambda request: "Anna left it at home."))
    with pytest.raises(UserError, match="is not a run: it has no run.json"):
        shrink(tmp_path, backend=ONE_CAUSE)
