"""--protect_facts: training never perturbs what a completion copies from its prompt."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.harness.actions.training import make_recipe_of, train_adapter
from holdfast.perturbations import Edit, Edits, Variant
from holdfast.training.examples import Example
from holdfast.training.loop.batches import Collator, Perturber
from holdfast.training.loop.copied_facts import copied_facts, keeps_all
from tests.training.test_train import QUICK, ROWS, write_rows

PROMPT = "Ottokar: Shall we meet Wilhelmine at the station on Thursday? Ludovico: Yes, at 10:45, with 30 euros."
ANSWER = "Ottokar and Ludovico meet Wilhelmine on Thursday at 10:45. The cost is 30 euros."


def perturber(spec: str, *, protect: bool, prompt: str = PROMPT, answer: str = ANSWER) -> Perturber:
    example = Example(({"role": "user", "content": prompt},), answer)
    return Perturber([example], [spec], 0, None, Collator(0, "causal"), 128, protect_facts=protect)


def test_names_numbers_dates_and_times_are_found() -> None:
    found = copied_facts(PROMPT, ANSWER)
    assert {"Ottokar", "Ludovico", "Wilhelmine", "Thursday", "10:45", "30 euros"} <= set(found)
    assert "The" not in found  # it opens a sentence: the prompt has it in lower case


@pytest.mark.parametrize("answer", ["", "They see us.", "Anna pays 40 dollars."])
def test_what_the_prompt_does_not_say_is_no_copy(answer: str) -> None:
    assert copied_facts(PROMPT, answer) == ()


def test_perturbed_prompts_keep_the_facts() -> None:
    facts = copied_facts(PROMPT, ANSWER)
    for spec in ("typos@heavy", "word_deletion@heavy", "ocr@heavy"):
        kept = [keeps_all(perturber(spec, protect=True).perturb(0, step), facts) for step in range(20)]
        lost = [keeps_all(perturber(spec, protect=False).perturb(0, step), facts) for step in range(20)]
        assert all(kept)
        assert not all(lost)


def test_protected_prompts_are_perturbed_elsewhere() -> None:
    texts = {perturber("typos@heavy", protect=True).perturb(0, step) for step in range(5)}
    assert len(texts) == 5
    assert PROMPT not in texts


def test_a_perturbation_without_regard_leaves_the_prompt_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def drops_all_capitals(text: str, **asked: Any) -> Variant:
        edits = tuple(Edit(i, letter, "") for i, letter in enumerate(text) if letter.isupper())
        return Variant(Edits(text, edits).text, "drops_all_capitals", "heavy", 0, edits, 0.1)

    monkeypatch.setattr("holdfast.training.loop.batches.make_variant", drops_all_capitals)
    assert perturber("typos@heavy", protect=False).perturb(0, 0) != PROMPT
    assert perturber("typos@heavy", protect=True).perturb(0, 0) == PROMPT


def test_the_card_shows_the_setting(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "train.jsonl", ROWS)
    for protects in (True, False):
        out = tmp_path / str(protects)
        settings: dict[str, Any] = {**QUICK, "max_steps": 1, "objective": "augment", "protect_facts": protects}
        train_adapter(make_recipe_of(settings, {"data": str(data), "output_dir": str(out)}, []))
        assert json.loads((out / "training_card.json").read_text())["recipe"]["protect_facts"] is protects


def test_edit_rate_and_lost_facts_are_measured() -> None:
    bare, protected = (perturber("typos@heavy", protect=protect) for protect in (False, True))
    for each in (bare, protected):
        for step in range(10):
            each.perturb(0, step)
    found = bare.take_measures()
    assert 0.02 < found["edit_rate"] < 0.2
    assert found["facts_lost"] > 0.5
    assert protected.take_measures()["facts_lost"] == 0
    assert bare.take_measures() == {}
