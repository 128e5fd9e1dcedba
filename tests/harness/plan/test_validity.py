"""Variants that no longer ask the same are excluded before the run."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results
from holdfast.harness.plan.as_read import as_read
from holdfast.harness.plan.sample_variants import SampleVariant
from holdfast.harness.plan.validity import Validity
from holdfast.harness.results.tables import print_results
from holdfast.metrics.drift import BREAK
from holdfast.metrics.encoders.encoder import Encoding
from holdfast.metrics.encoders.lexical import lexical
from holdfast.perturbations import Edit, Edits, Variant, make_variant
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]

TEXT = "Who did not come to the big meeting in London on 12 May?"

MOST = 0.3
"""A contradiction leaves less of the meaning than this."""


def test_a_typo_in_a_contraction_is_corrected() -> None:
    text = "Which of them didn't sign, and who has never been here?"
    edits = Edits(text, (Edit(text.index("'t") + 1, "t", "f"), Edit(text.index("never") + 2, "v", "g")))
    assert as_read(edits) == text


@pytest.mark.parametrize(
    ("text", "meant", "typed"), [("नदी कितनी लंबी है?", "कितनी", "कितन"), ("一个孩子在吃苹果。", "孩子", "孩孩子")]
)
def test_a_typo_is_corrected_in_any_script(text: str, meant: str, typed: str) -> None:
    assert as_read(Edits(text, (Edit(text.index(meant), meant, typed),))) == text


def test_gibberish_is_judged_in_the_prompt_s_language() -> None:
    letters = tuple(Edit(i, letter, "q") for i, letter in enumerate(TEXT) if letter.isalpha())
    kept = meaning(Edits(TEXT, letters), "typos")
    assert kept is not None
    assert kept < 0.5


def replaced(before: str, after: str) -> Edits:
    return Edits(TEXT, (Edit(TEXT.index(before), before, after),))


@pytest.mark.parametrize("name", ["confusables", "zero_width", "fullwidth", "case", "emoji", "spacing", "punctuation"])
@pytest.mark.parametrize("severity", ["light", "heavy"])
def test_edits_that_change_no_letter_are_undone(name: str, severity: str) -> None:
    made = make_variant(TEXT, task="t", sample_id="1", perturbation=name, severity=severity, repeat=0, seed=0)
    assert made.edits
    assert as_read(Edits(TEXT, made.edits)) == TEXT


@pytest.mark.parametrize(
    ("before", "after"),
    [("come", "comme"), ("meeting", "meetnig"), ("not", "nto"), ("big", "bgi"), ("London", "Lond0n")],
)
def test_a_recognisable_misspelling_is_corrected(before: str, after: str) -> None:
    assert as_read(replaced(before, after)) == TEXT


@pytest.mark.parametrize(
    ("before", "after"), [("not", "now"), ("come", "go"), ("not ", ""), ("big", "bxq"), ("12", "21")]
)
def test_a_different_word_is_kept(before: str, after: str) -> None:
    assert as_read(replaced(before, after)) != TEXT


def test_a_slip_inside_a_word_is_corrected_even_if_a_common_word_results() -> None:
    assert as_read(Edits(TEXT, (Edit(TEXT.index("come"), "c", "h"), Edit(TEXT.index("London"), "L", "")))) == TEXT


NOISY = " ".join(
    f"{name}: thanks, I am good and don't owe you any money, so see me at {hour} in the big hall near the old mill."
    for name, hour in zip(("Ann", "Bob", "Eve", "Joe", "Kim", "Lee"), "123456", strict=True)
)


@pytest.mark.parametrize(
    "name", ["typos", "char_deletion", "ocr", "accents", "markdown", "typos+emoji", "case+spacing"]
)
def test_noise_that_leaves_most_letters_keeps_the_meaning(name: str) -> None:
    """On a long prompt some slips make other words (thanks, tanks; not, nt), but people read through them."""
    made = make_variant(NOISY, task="t", sample_id="1", perturbation=name, severity="heavy", repeat=0, seed=0)
    kept = meaning(Edits(NOISY, made.edits), name)
    assert kept is not None
    assert kept >= 0.8


def test_the_meaning_under_noise_is_the_share_of_letters_left() -> None:
    text = "Go now."
    edits = (Edit(0, "Go", "xy"), Edit(3, "n", ""), Edit(6, ".", "!"))
    assert meaning(Edits(text, edits), "typos") == 0.4  # two letters of five are left
    assert meaning(Edits("जाओ अब", (Edit(4, "अब", "ab"),)), "char_deletion") is not None


def test_noise_does_not_hide_what_a_word_perturbation_drops() -> None:
    slips = Edit(TEXT.index("meeting") + 1, "e", "w"), Edit(TEXT.index("London") + 2, "n", "m")
    dropped = Edit(TEXT.index("not "), "not ", "")
    assert meaning(Edits(TEXT, (dropped, *slips)), "typos+word_deletion") < MOST
    assert meaning(Edits(TEXT, slips), "typos+word_deletion") == 1.0


class Counting:
    """An encoder that records its texts."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Any:
        self.texts += texts
        return lexical()(texts)


def meaning(edits: Edits, perturbation: str = "word_deletion", encode: Any = None) -> float | None:
    task = Task("t", (Sample("1", edits.original),), ())
    judge = Validity(0.5, [task], Encoding("minilm", encode or lexical(), fallback=lexical()))
    variant = Variant(edits.text, perturbation, "light", 0, edits.edits, 0.1)
    return judge.judge([SampleVariant("t", "1", variant)])[0].meaning


def test_a_text_that_reads_the_same_is_not_encoded() -> None:
    encode = Counting()
    assert meaning(replaced("come", "cmoe"), "typos", encode) == 1.0
    assert encode.texts == []


def test_a_contradiction_keeps_little_meaning() -> None:
    assert meaning(replaced("not ", "")) < MOST
    assert meaning(replaced("12", "21")) < MOST


def test_the_meaning_of_a_rewording_is_estimated() -> None:
    kept = meaning(replaced("come to", "attend"))
    assert kept is not None
    assert 0.3 < kept < 1


def test_meaning_is_unknown_for_changes_that_cannot_be_judged() -> None:
    assert meaning(replaced("come", "aana"), "code_switch") is None
    assert meaning(replaced("did not", "did"), "negate") is None
    assert meaning(Edits("लंदन में कौन नहीं आया?", (Edit(0, "लंदन", "दिल्ली"),)), "synonyms") is None


@pytest.fixture
def prompts() -> Task:
    samples = [Sample(str(i), f"Do not open door number {i} on Monday.") for i in range(6)]
    return Task("doors", tuple(samples), ("answer_rate",))


def test_variants_below_the_threshold_are_not_run(run: Evaluate, prompts: Task) -> None:
    fake = Fake()
    results = run(fake, tasks=[prompts], perturbations="word_deletion@0.3", repeats=3, min_meaning=0.6)
    left_out = [json.loads(line) for line in (results.path / "excluded.jsonl").read_text().splitlines()]
    assert left_out
    assert all(line["meaning"] < 0.6 for line in left_out)
    assert all(line["reason"] and line["clean"] != line["text"] for line in left_out)
    asked = {request.prompt for request in fake.asked}
    assert asked.isdisjoint(line["text"] for line in left_out)
    cells = results.breakdown[results.breakdown["perturbation"] == "word_deletion"]
    assert set(cells["excluded"]) == {round(len(left_out) / 18, 6)}
    stored = [json.loads(line) for line in (results.path / "samples.jsonl").read_text().splitlines()]
    assert all(line["meaning"] >= 0.6 for line in stored if line["edits"])


def test_a_perturbation_without_effect_is_named(run: Evaluate, prompts: Task) -> None:
    with pytest.warns(UserWarning, match="doors/romanise@light: it found nothing to change in any prompt"):
        results = run(Fake(), tasks=[prompts], perturbations="identity,typos,romanise", severity="light", min_meaning=0)
    assert len([each for each in results.warnings if each.startswith("doors/")]) == 1


def test_a_cell_without_valid_variants_still_has_a_row(run: Evaluate, prompts: Task, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="doors/word_deletion@1: no variant keeps its prompt's meaning"):
        results = run(Fake(), tasks=[prompts], perturbations="word_deletion@1", min_meaning=1)
    cells = results.breakdown[results.breakdown["perturbation"] == "word_deletion"]
    assert list(cells["n"]) == [0, 0]
    assert list(cells["excluded"]) == [1, 1]
    assert cells["perturbed"].isna().all()


def test_with_a_threshold_of_zero_every_variant_is_run(run: Evaluate, prompts: Task) -> None:
    results = run(Fake(), tasks=[prompts], perturbations="word_deletion@1", min_meaning=0)
    assert (results.breakdown["excluded"] == 0).all()


def test_expected_changes_are_scored_by_whether_they_happen(run: Evaluate) -> None:
    task = Task(
        "news", (Sample("1", "Profit did rise.", ("up",)), Sample("2", "Sales did fall.", ("down",))), ("token_f1",)
    )
    asked = {"tasks": [task], "perturbations": "negate@1,typos@0.1", "aggregate": "mean,worst"}
    stubborn = run(Fake(rule=lambda request: "up"), **asked)
    cell = stubborn.breakdown.set_index(["adapter", "perturbation"]).loc[("base", "negate")]
    assert cell["expects"] == "changed"
    assert cell["changed_rate"] == 0.0
    assert cell[["perturbed", "break_rate", "worst_max_drift"]].isna().all()
    assert list(stubborn.leaderboard["changed_rate"]) == [0.0, 0.0]
    assert list(stubborn.leaderboard["break_rate"]) == [0.0, 0.0]


def test_only_edited_prompts_count_where_answers_should_change(
    run: Evaluate, capsys: pytest.CaptureFixture[str]
) -> None:
    task = Task("news", (Sample("1", "Profit did rise.", ("up",)), Sample("2", "Why?", ("down",))), ("token_f1",))
    results = run(
        Fake(rule=lambda request: "down" if "not" in request.prompt else "up"),
        tasks=[task],
        perturbations="negate@1",
        adapters="base",
    )
    cell = results.breakdown.set_index("perturbation").loc["negate"]
    assert (cell["n"], cell["edited"], cell["changed_rate"]) == (1, 0.5, 1.0)
    assert cell["max_drift"] >= BREAK
    print_results(results)
    shown = capsys.readouterr().out
    assert "share of edited ones whose answer changed" in shown
    assert "Worst cells of each adapter" not in shown
