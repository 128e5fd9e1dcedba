"""`holdfast check`: verdicts, exit statuses, what may be compared, and what is said of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import holdfast
from holdfast import Results, UserError
from holdfast.harness.backends import Request
from holdfast.harness.cli import main
from tests.harness.fakes import Fake, registered
from tests.harness.loras import pocket, save_lora
from tests.harness.manifests import change_manifest
from tests.harness.results.check.conftest import RIGHT, WRONG, trains

MakeRun = Callable[..., str]
LOOSE = {"primary": {"trains": {"perturbed": {"max_loss": 0.2}}}}


def test_fewer_wrong_answers_pass(pairs_of: MakeRun) -> None:
    run = pairs_of(90, old=0.5, new=0.0)
    result = holdfast.check(f"{run}:old", f"{run}:new")
    assert (result.verdict, result.exit_status) == ("PASS", 0)
    found = {each.metric: each for each in result.primaries}
    assert found.keys() == {"clean", "perturbed", "max_drift"}
    assert found["perturbed"].score == "exact_match"
    assert found["perturbed"].change == pytest.approx(found["perturbed"].new - found["perturbed"].old)
    assert found["perturbed"].low > 0 > found["max_drift"].high


def test_many_more_wrong_answers_fail(pairs_of: MakeRun) -> None:
    run = pairs_of(60, old=0.0, new=0.5)
    result = holdfast.check(f"{run}:old", f"{run}:new", budgets=LOOSE)
    [primary] = result.primaries
    assert (result.verdict, result.exit_status) == ("FAIL", 1)
    assert primary.high < -0.2 < 0 == primary.better
    assert primary.worse == round(-primary.change * 60) > 0
    assert (result.worst[0].old, result.worst[0].new) == (1.0, 0.0)
    assert result.worst[0].new_output == "Nobody has seen a whale."


def test_few_samples_are_undecided(pairs_of: MakeRun) -> None:
    run = pairs_of(9, old=0.0, new=0.0)
    result = holdfast.check(f"{run}:old", f"{run}:new")
    assert (result.verdict, result.exit_status) == ("UNDECIDED", 3)
    assert "fewer than 10" in result.primaries[0].reason
    for word, status in (("pass", 0), ("fail", 1), ("report", 3)):
        assert holdfast.check(f"{run}:old", f"{run}:new", undecided=word).exit_status == status


def test_the_same_weights_pass_however_few_the_samples(pairs_of: MakeRun) -> None:
    run = pairs_of(9, adapters="old=base,new=base")
    result = holdfast.check(f"{run}:old", f"{run}:new")
    assert result.same_adapter
    assert result.verdict == "PASS"


def test_a_bad_baseline_licenses_nothing(pairs_of: MakeRun) -> None:
    run = pairs_of(80, old=0.9, new=0.9)
    budgets = {"primary": {"trains": {"perturbed": {"max_loss": 0.05, "limit": 0.8}}}}
    result = holdfast.check(f"{run}:old", f"{run}:new", budgets=budgets)
    assert result.verdict == "FAIL"
    assert "below the floor of 0.8" in result.primaries[0].reason


def test_an_undecided_limit_says_how_many_samples_it_needs(pairs_of: MakeRun) -> None:
    """Of 70 answers none is wrong: that shows 0.949 at least (Clopper and Pearson), a little too little for 0.95."""
    run = pairs_of(70, old=0.0, new=0.0)
    budgets = {"primary": {"trains": {"perturbed": {"limit": 0.95}}}}
    result = holdfast.check(f"{run}:old", f"{run}:new", budgets=budgets)
    assert result.verdict == "UNDECIDED"
    assert 1 <= (result.primaries[0].further or 0) <= 20


def test_two_runs_of_one_condition_are_compared(pairs_of: MakeRun) -> None:
    one = pairs_of(40, folder="one", adapters="old=pocket-steady", old=0.0)
    two = pairs_of(40, folder="two", adapters="new=pocket-narrow", new=0.7)
    result = holdfast.check(one, two, budgets=LOOSE)
    assert result.verdict in {"FAIL", "PASS"}
    assert (Path(result.baseline).name, Path(result.candidate).name) == ("one:old", "two:new")


def test_results_in_python_are_sides_too(pairs_of: MakeRun) -> None:
    one = holdfast.load_run(pairs_of(40, folder="one", adapters="old=pocket-steady"))
    two = holdfast.load_run(pairs_of(40, folder="two", adapters="new=pocket-narrow", new=0.9))
    assert holdfast.check(one, two, budgets=LOOSE).verdict == "FAIL"


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"perturbations": "typos@0.2"}, "variants differ (perturbations: ['typos@0.1'] and ['typos@0.2'])"),
        ({"limit": 11}, "prompts and their variants differ (limit: none and 11)"),
        ({"gen_kwargs": {"max_new_tokens": 7}}, "setting gen_kwargs"),
        ({"granularity": "clause"}, "setting granularity"),
        ({"break_threshold": 0.7}, "setting break_threshold"),
    ],
)
def test_runs_that_differ_are_not_compared(
    setting: dict[str, object], named: str, pairs_of: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = pairs_of(12, folder="one"), pairs_of(12, folder="two", **setting)
    assert main(["check", "--baseline", f"{one}:old", "--candidate", f"{two}:new"]) == 4
    assert named in capsys.readouterr().err


def test_a_run_made_elsewhere_lends_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered("fake_elsewhere", lambda request: RIGHT)
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    lines = [{"id": f"{i}", "content": f"When does train {i} leave?", "references": [RIGHT]} for i in range(12)]
    (there / "trains.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    save_lora(here / "tuned", pocket(), scale=0.1)
    flags = ["--model", "fake_elsewhere", "--tasks", "trains.jsonl", "--perturbations", "typos@0.1"]
    monkeypatch.chdir(there)
    assert main(["run", *flags, "--encoder", "lexical", "--min_meaning", "0", "--output_path", "old"]) == 0
    monkeypatch.chdir(here)
    sides = ["--baseline", "../there/old:base", "--candidate", "./tuned"]
    assert main(["check", *sides, "--output_path", "new"]) == 3  # too few samples to decide
    assert (here / "new" / "samples.jsonl").is_file()


def test_runs_of_different_tasks_are_not_compared(pairs_of: MakeRun) -> None:
    one, two = pairs_of(12, folder="one"), pairs_of(12, folder="two", tasks=[trains(12, "buses")])
    with pytest.raises(UserError, match="different tasks: only one has 'trains', 'buses'"):
        holdfast.check(f"{one}:old", f"{two}:new")


def test_exit_statuses_tell_verdicts_from_mistakes(
    pairs_of: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = pairs_of(60, old=0.0, new=0.5)
    budgets = tmp_path / "budgets.toml"
    budgets.write_text("[primary.trains]\nperturbed = {max_loss = 0.2}\n")
    sides = ["check", "--baseline", f"{run}:old", "--candidate", f"{run}:new"]
    assert main([*sides, "--budgets", str(budgets)]) == 1
    assert "FAIL" in capsys.readouterr().out
    assert main([*sides, "--budgets", str(tmp_path / "none.toml")]) == 2
    assert main([*sides[:-1], f"{run}:nwe"]) == 2
    assert "did you mean 'new'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--baseline", f"{run}:old"])
    assert stopped.value.code == 2


def test_an_unfinished_run_is_refused(pairs_of: MakeRun) -> None:
    run = Path(pairs_of(12))
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(manifest | {"status": "running", "own_sha256": None}))
    with pytest.raises(UserError, match="is not finished: repeat its command"):
        holdfast.check(f"{run}:old", f"{run}:new")


def test_an_edited_run_is_refused(pairs_of: MakeRun) -> None:
    run = Path(pairs_of(12))
    text = (run / "samples.jsonl").read_text()
    (run / "samples.jsonl").write_text(text.replace('"exact_match": 0.0', '"exact_match": 1.0').replace("ten", "two"))
    with pytest.raises(UserError, match="SHA-256"):
        holdfast.check(f"{run}:old", f"{run}:new")


def test_answers_that_gave_nothing_to_score_are_bounded_both_ways(pairs_of: MakeRun) -> None:
    """A label that is not given is neither right nor wrong."""
    run = pairs_of(80, old=0.0, new=0.5, tasks=[trains(80, metric="label_accuracy")])
    result = holdfast.check(f"{run}:old", f"{run}:new", budgets=LOOSE)
    [primary] = result.primaries
    assert primary.unscorable > 0
    assert result.verdict == "UNDECIDED" or primary.new < 1
    assert "could not be scored" in primary.reason


def test_a_mitigation_is_checked_against_its_adapter(run: Callable[..., Results]) -> None:
    def rule(request: Request) -> str:
        careful = request.prompt.startswith("Be careful.")
        return RIGHT if careful or sum(map(ord, request.prompt)) % 2 else WRONG

    done = run(Fake(rule=rule), tasks=[trains(60)], adapters="base", mitigations=["calm=Be careful."])
    result = holdfast.check(f"{done.path}:base", f"{done.path}:base+calm", budgets=LOOSE)
    assert not result.same_adapter
    assert result.primaries[0].new == 1.0 > result.primaries[0].old


def test_nothing_scored_is_no_number(pairs_of: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    run = pairs_of(20, old=1.0, new=1.0, tasks=[trains(20, metric="label_accuracy")])
    capsys.readouterr()
    assert main(["check", "--baseline", f"{run}:old", "--candidate", f"{run}:new"]) == 3
    text = capsys.readouterr().out
    assert "not scored" in text
    assert "nan" not in text


def test_a_run_needs_its_adapter_named(pairs_of: MakeRun) -> None:
    run = pairs_of(12)
    with pytest.raises(UserError, match=r"has 2 adapters: name one, as in .*:old"):
        holdfast.check(run, f"{run}:new")


def test_settings_of_a_run_are_refused_if_nothing_is_run(pairs_of: MakeRun) -> None:
    run = pairs_of(12)
    with pytest.raises(UserError, match="limit is a setting of a run, but both sides have been run already"):
        holdfast.check(f"{run}:old", f"{run}:new", limit=5)


def test_a_servers_model_name_is_no_proof_of_its_weights(pairs_of: MakeRun) -> None:
    run = Path(pairs_of(60, adapters="old=base,new=base", old=0.0, new=0.9))
    config = json.loads((run / "run.json").read_text())["config"]
    assert holdfast.check(f"{run}:old", f"{run}:new").same_adapter
    change_manifest(run, config=config | {"model": "api"})
    result = holdfast.check(f"{run}:old", f"{run}:new")
    assert not result.same_adapter
    assert result.verdict == "FAIL"


def test_a_margin_of_zero_needs_ten_samples(pairs_of: MakeRun) -> None:
    budgets = {"primary": {"trains": {"perturbed": {"max_loss": 0}}}}
    for count, verdict in ((9, "UNDECIDED"), (12, "PASS")):
        run = pairs_of(count, folder=f"run-{count}", old=0.0, new=0.0)
        assert holdfast.check(f"{run}:old", f"{run}:new", budgets=budgets).verdict == verdict


def test_an_adapters_name_may_have_a_colon(pairs_of: MakeRun) -> None:
    run = pairs_of(12, adapters="a:b=pocket-steady,new=pocket-narrow")
    assert holdfast.check(f"{run}:a:b", f"{run}:new").baseline.endswith("run:a:b")


def test_a_mistyped_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing:x' is not a finished run: '.*nothing' has no run.json"):
        holdfast.check(f"{tmp_path}/nothing:x", "pocket-steady")


def test_an_unknown_task_is_named_before_anything_is_run(tmp_path: Path) -> None:
    budgets = {"primary": {"factual_q": {"clean": {"max_loss": 0.1}}}}
    with pytest.raises(UserError, match="unknown task 'factual_q'; did you mean 'factual_qa'"):
        holdfast.check("base", "pocket-steady", budgets=budgets, tasks="factual_qa", output_path=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("metric", "budget", "message"),
    [
        ("perturbed", {"max_loss": 5}, "trains.perturbed: max_loss = 5, but its values lie between 0 and 1"),
        ("max_drift", {"max_rise": 0.1, "limit": 60}, "trains.max_drift: limit = 60, but its values lie between"),
        ("rougeL", {"max_loss": 0.1}, "task 'trains': no answer has a score 'rougeL'; there are clean, perturbed"),
        ("perturbd", {"max_loss": 0.1}, "unknown metric 'perturbd'; did you mean 'perturbed'"),
    ],
)
def test_a_budget_that_nothing_can_break_or_keep_is_refused(
    metric: str, budget: dict[str, float], message: str, pairs_of: MakeRun
) -> None:
    run = pairs_of(12)
    with pytest.raises(UserError, match=message):
        holdfast.check(f"{run}:old", f"{run}:new", budgets={"primary": {"trains": {metric: budget}}})


def test_a_margin_of_a_metric_without_bounds_may_exceed_one(pairs_of: MakeRun) -> None:
    run = pairs_of(12, tasks=[replace(trains(12), metrics=("exact_match", "answer_rate"))])
    budgets = {"primary": {"trains": {"answer_words": {"max_loss": 5}}}}
    assert holdfast.check(f"{run}:old", f"{run}:new", budgets=budgets).primaries[0].budget.max_loss == 5


def test_samples_with_one_prompt_are_pointed_out(pairs_of: MakeRun) -> None:
    task = trains(12)
    same = replace(task, samples=tuple(replace(each, content=task.samples[0].content) for each in task.samples))
    run = pairs_of(12, tasks=[same])
    result = holdfast.check(f"{run}:old", f"{run}:new")
    assert "11 samples have the prompt of another one, but count as if they were independent" in result.warnings
