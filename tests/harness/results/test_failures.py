"""Why answers are wrong, what a mitigation changes, and the preset that asks for both."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from holdfast import Results, UserError
from holdfast.harness.backends import Request
from holdfast.harness.results.check.inference.differences import Pairs, difference
from holdfast.harness.results.failures.failure_table import failure_table
from holdfast.harness.results.tables import print_results
from holdfast.harness.store.config import make_config
from holdfast.metrics.failure_kinds import FAILURES
from holdfast.metrics.language_failures import LANGUAGE_FAILURES
from holdfast.tasks import Sample, Task, load_task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]
QUESTIONS = tuple(Sample(f"q{i:02}", f"Which city is on the road number {i} to France?", ("Paris",)) for i in range(20))
TASK = Task("roads", QUESTIONS, ("exact_match",))


def typing_matters(request: Request) -> str:
    """Right on clean prompts, and half of the time with a mitigation; otherwise a city, or nothing at all."""
    number = int("".join(filter(str.isdigit, request.prompt)))
    clean = f"Which city is on the road number {number} to France?" in request.prompt
    if clean or ("+careful" in request.adapter and number % 2):
        return "Paris"
    return "Lyon" if number % 4 else ""


@pytest.fixture
def results(run: Evaluate) -> Results:
    return run(
        Fake(rule=typing_matters),
        tasks=TASK,
        adapters="base",
        perturbations="typos@0.15",
        repeats=2,
        mitigations="careful=Mind the typing errors. {{ prompt }}",
    )


def test_each_wrong_answer_has_a_kind(results: Results) -> None:
    lines = [json.loads(line) for line in (results.path / "samples.jsonl").open()]
    for line in lines:
        if line["output"] == "Paris" or not line["edits"]:
            assert "failure" not in line
        else:
            assert line["failure"] == ("parse failure" if line["output"] == "" else "entity misrecognition")
    cell = results.breakdown.query("adapter == 'base' and perturbation == 'typos'").iloc[0]
    assert cell["failures"] == "entity misrecognition 30, parse failure 10"


def test_the_shares_of_kinds_have_intervals(results: Results) -> None:
    table = pd.read_csv(results.path / "failures.csv")
    row = table.query("adapter == 'base' and perturbation == 'all' and failure == 'parse failure'").iloc[0]
    assert (row["wrong"], row["count"], row["share"]) == (40, 10, 0.25)
    interval = binomtest(10, 40).proportion_ci(0.95, method="wilson")
    assert (row["share_low"], row["share_high"]) == pytest.approx((interval.low, interval.high), abs=1e-6)
    assert table.query("adapter == 'base' and perturbation == 'typos'")["count"].sum() == 40


def test_a_mitigation_is_compared_on_the_same_variants(results: Results) -> None:
    table = results.mitigations.set_index("prompts")
    assert table.loc["clean", ["before", "after", "change"]].tolist() == [1.0, 1.0, 0.0]
    row = table.loc["perturbed"]
    assert (row["adapter"], row["mitigation"], row["n"]) == ("base", "careful", 20)
    assert row[["before", "after", "change"]].tolist() == [0.0, 0.5, 0.5]
    gains = np.tile([0.0, 1.0], 10).repeat(2)
    expected = difference(Pairs(np.zeros(40), gains, np.arange(20).repeat(2))).interval()
    assert (row["change_low"], row["change_high"]) == pytest.approx(expected, abs=1e-6)


def test_the_text_is_around_the_prompt_and_in_the_manifest(results: Results) -> None:
    entries = {entry.name: entry.mitigation for entry in results.manifest.adapters}
    assert entries == {"base": "", "base+careful": "Mind the typing errors. {{ prompt }}"}
    prompts = results.samples.set_index("adapter")["prompt"]
    assert prompts["base+careful"].str.startswith("Mind the typing errors. ").all()
    assert sorted(prompts["base+careful"].str.removeprefix("Mind the typing errors. ")) == sorted(prompts["base"])


def test_both_tables_are_printed(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    print_results(results)
    printed = capsys.readouterr().out
    assert "Why short answers are wrong" in printed
    assert "0.250 [0.142, 0.402]" in printed
    assert "Mitigations: the same variants without and with the text" in printed
    assert max(len(line) for line in printed.splitlines() if not line.startswith("files")) <= 78


def test_a_mitigation_may_be_a_file(run: Evaluate, tmp_path: Path) -> None:
    (tmp_path / "calm.txt").write_text("Stay calm.\n")
    results = run(Fake(), adapters="base", perturbations="case", mitigations=f"robust_prompt,{tmp_path / 'calm.txt'}")
    assert set(results.leaderboard["adapter"]) == {"base", "base+robust_prompt", "base+calm"}
    assert results.samples.set_index("adapter")["prompt"]["base+calm"].str.startswith("Stay calm.\n\nW").any()


@pytest.mark.parametrize(
    ("mitigations", "message"),
    [
        ("robust", "unknown 'robust'; did you mean 'robust_prompt'"),
        ("nowhere/x.txt", "file 'nowhere/x.txt' does not exist"),
        ("a=Be good.,a=Be bad.", "two are called 'a'"),
        ("a=Be {{ promt }} good.", "'promt' is undefined"),
        ("a=Be {{ 1 + 1 }} good.", "a template without {{ prompt }} asks nothing"),
    ],
)
def test_an_unusable_mitigation_is_refused(run: Evaluate, mitigations: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(Fake(), mitigations=mitigations)


def test_a_run_with_another_text_is_not_resumed(run: Evaluate) -> None:
    run(Fake(), adapters="base", perturbations="case", mitigations="a=Be good.")
    with pytest.raises(UserError, match="different settings .mitigations was"):
        run(Fake(), adapters="base", perturbations="case", mitigations="a=Be very good.")


def test_a_preset_is_overridden_by_flags() -> None:
    preset = make_config({"preset": "messy_input"})
    assert preset.tasks == ["factual_qa"]
    assert preset.perturbations == ["typos", "spacing+punctuation", "confusables", "emoji"]
    assert preset.severity == ["light", "heavy"]
    chosen = make_config({"preset": "messy_input", "tasks": "mine.jsonl", "severity": "0.2"})
    assert (chosen.tasks, chosen.severity, chosen.perturbations) == (["mine.jsonl"], ["0.2"], preset.perturbations)
    with pytest.raises(UserError, match="preset: unknown 'messy'; did you mean 'messy_input'"):
        make_config({"preset": "messy"})


def test_several_languages_have_kinds_and_scores_of_their_own(run: Evaluate) -> None:
    """An engine that knows the answers, but says all of them in English unless it is told not to."""
    items = {sample.id: sample for sample in load_task("multilingual_qa").samples}
    english = {sample.item: sample.references[0] for sample in items.values() if sample.groups["language"] == "en"}
    by_content = {sample.content: sample for sample in items.values()}

    def rule(request: Request) -> str:
        sample = next((each for content, each in by_content.items() if content in request.prompt), None)
        if sample is None:
            return "UNSURE"
        return sample.references[0] if "pinning" in request.adapter else english[sample.item]

    results = run(
        Fake(rule=rule), tasks=None, preset="multilingual", adapters="base", limit=20, perturbations="typos@0.3"
    )
    groups = results.groups.set_index(["adapter", "group"])
    clean = results.breakdown.query("perturbation == 'clean'").set_index(["adapter", "group"])
    hindi, pinned = ("base", "language=hi"), ("base+language_pinning", "language=hi")
    assert clean.loc[hindi, ["exact_match", "cross_script_match", "language_consistency"]].tolist() == [0, 1, 0]
    assert clean.loc[pinned, ["exact_match", "cross_script_match", "language_consistency"]].tolist() == [1, 1, 1]
    assert groups.loc[hindi, "language_consistency"] == 0
    assert groups.loc[hindi, "language_consistency_low"] == 0 < groups.loc[hindi, "language_consistency_high"]
    kinds = results.failures.query("adapter == 'base' and perturbation == 'clean'").set_index("failure")["count"]
    wrong = {
        sample.id: sample
        for sample in items.values()
        if int(sample.item) <= 5 and sample.references[0] != english[sample.item]
    }
    scripts = sum(not sample.references[0].isascii() for sample in wrong.values() if sample.groups["language"] == "hi")
    assert kinds["script issue"] == scripts == 5
    assert kinds.sum() == len(wrong)
    change = results.mitigations.query("prompts == 'clean'").iloc[0]
    assert change["change"] == pytest.approx(len(wrong) / 20, abs=1e-6)


def test_a_task_with_failures_of_both_sorts_has_rows_for_all_kinds() -> None:
    wrong = pd.DataFrame({"failure": [FAILURES[0], LANGUAGE_FAILURES[0]], "adapter": "a", "task": "t"})
    table = failure_table(wrong.assign(perturbation="typos"))
    assert table is not None
    assert list(table.query("perturbation == 'all'")["failure"]) == [*FAILURES, *LANGUAGE_FAILURES]
    assert table.query("perturbation == 'all'")["count"].sum() == 2
