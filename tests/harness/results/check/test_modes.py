"""Planning, the self-test, looks at a part of the samples, and the samples of lm-eval."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import holdfast
from holdfast import UserError
from holdfast.harness.cli import main
from tests.harness.backends.servers import server
from tests.harness.fakes import registered
from tests.harness.results.check.conftest import RIGHT, answering, trains

MakeRun = Callable[..., str]


def test_a_plan_needs_fewer_samples_with_both_sides(pairs_of: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    """Pairing is worth samples: answers of the two adapters to one prompt are alike."""
    run = pairs_of(80, old=0.4, new=0.5)
    needed = []
    for sides in (["--baseline", f"{run}:old"], ["--baseline", f"{run}:old", "--candidate", f"{run}:new"]):
        capsys.readouterr()
        assert main(["check", *sides, "--plan"]) == 0
        [row] = [line for line in capsys.readouterr().out.splitlines() if "perturbed" in line and "0.05" in line]
        needed.append(int(row.split()[-1].replace(",", "")))
    alone, paired = needed
    assert 80 < paired < alone


def test_a_plan_generates_nothing(pairs_of: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    run = pairs_of(12)
    assert main(["check", "--baseline", f"{run}:old", "--candidate", "pocket-narrow", "--plan"]) == 2
    assert "is not a finished run" in capsys.readouterr().err


def test_the_self_test_rarely_fails_although_the_candidate_does(
    pairs_of: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    run = pairs_of(60, old=0.0, new=0.5)
    capsys.readouterr()
    assert main(["check", "--baseline", f"{run}:old", "--candidate", f"{run}:new", "--self_test", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["false_fails"] <= 0.05


def write_task(folder: Path, count: int) -> Path:
    path = folder / "trains.jsonl"
    lines = [{"id": s.id, "content": s.content, "references": [RIGHT]} for s in trains(count).samples]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def sequential(folder: Path, count: int, **shares: float) -> dict[str, Any]:
    """Check two adapters look by look; their result, and the prompts that were generated."""
    fake = registered("fake_looks", answering(**shares).rule)
    target = folder / "check.json"
    flags = ["--model", "fake_looks", "--tasks", str(write_task(folder, count)), "--perturbations", "typos@0.1"]
    flags += ["--encoder", "lexical", "--min_meaning", "0", "--output_path", str(folder / "out")]
    sides = ["--baseline", "old=pocket-steady", "--candidate", "new=pocket-narrow"]
    main(["check", *sides, *flags, "--sequential", "--json", str(target)])
    return json.loads(target.read_text()) | {"asked": {r.prompt for r in fake.asked}, "engines": len(fake.engines)}


def test_a_clear_loss_stops_the_generation(tmp_path: Path) -> None:
    found = sequential(tmp_path, 160, old=0.0, new=0.9)
    assert found["verdict"] == "FAIL"
    assert [look["share"] for look in found["looks"]] in ([0.25], [0.25, 0.5])
    used = found["looks"][-1]["samples"]
    assert used in (40, 80)
    assert found["planned"] == 160
    clean = {sample.content for sample in trains(160).samples}
    assert len(clean & found["asked"]) == used
    assert found["engines"] == 1


def test_an_open_verdict_looks_at_everything(tmp_path: Path) -> None:
    found = sequential(tmp_path, 40, old=0.3, new=0.3)
    assert found["verdict"] == "UNDECIDED"
    assert [look["samples"] for look in found["looks"]] == [10, 20, 30, 40]
    assert found["looks"][0]["confidence"] > found["looks"][-1]["confidence"] > 0.95


def test_looks_at_models_behind_a_server(tmp_path: Path) -> None:
    with server() as served:
        flags = ["--model", "api", "--model_args", f"base_url={served.url},model=big", "--encoder", "lexical"]
        flags += ["--tasks", str(write_task(tmp_path, 24)), "--perturbations", "typos@0.1", "--min_meaning", "0"]
        sides = ["--baseline", "one", "--candidate", "other"]
        main(["check", *sides, *flags, "--output_path", str(tmp_path / "out"), "--sequential"])
        assert {each["model"] for each in served.asked} >= {"one", "other"}
    assert len([*(tmp_path / "out").glob("part_*/samples.jsonl")]) == 4


def test_looks_need_adapters(pairs_of: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    run = pairs_of(12)
    assert main(["check", "--baseline", f"{run}:old", "--candidate", "pocket-narrow", "--sequential"]) == 2
    assert "has been run already: name an adapter" in capsys.readouterr().err


def logged(folder: Path, *lines: dict[str, Any]) -> Path:
    """Write samples as lm-eval does."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "samples_gsm8k_2026-11-29T10-00-00.123456.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def document(number: int, right: bool, **fields: Any) -> dict[str, Any]:
    return {
        "doc_id": number,
        "doc": {"question": f"What is {number}?"},
        "target": str(number),
        "arguments": {"gen_args_0": {"arg_0": f"Q: What is {number}?\nA:", "arg_1": {"until": ["\n"]}}},
        "resps": [["1"]],
        "filtered_resps": ["1"],
        "filter": "none",
        "metrics": ["exact_match"],
        "exact_match": float(right),
        **fields,
    }


def test_samples_of_lm_eval_are_compared(tmp_path: Path) -> None:
    old = logged(tmp_path / "old", *(document(i, True) for i in range(100)))
    new = logged(tmp_path / "new", *(document(i, i % 2 == 0) for i in range(100)))
    result = holdfast.check(old, new.parent)
    [primary] = result.primaries
    assert (primary.task, primary.score, primary.old, primary.new) == ("gsm8k", "exact_match", 1.0, 0.5)
    assert (primary.worse, primary.better, result.verdict) == (50, 0, "FAIL")
    assert result.worst[0].prompt.startswith("Q: What is ")


def test_filters_of_lm_eval_are_metrics_of_their_own(tmp_path: Path) -> None:
    lines = [
        document(i, right, filter=name) for i in range(60) for name, right in (("strict", i < 50), ("loose", True))
    ]
    path = logged(tmp_path, *lines)
    budgets = {"primary": {"gsm8k": {"exact_match,strict": {"limit": 0.5}, "exact_match,loose": {"limit": 0.5}}}}
    result = holdfast.check(path, path, budgets=budgets)
    assert [round(each.new, 3) for each in result.primaries] == [0.833, 1.0]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "is empty: run lm-eval with --log_samples"),
        ([{"a": 1}], "line 1 is not a sample that lm-eval logged"),
        ([document(1, True), document(1, True)], "line 2: document 1 appears twice"),
        ([document(1, True, metrics=[])], "has no score of single samples"),
    ],
)
def test_a_bad_file_of_lm_eval_is_one_line(lines: list[dict[str, Any]], said: str, tmp_path: Path) -> None:
    path = logged(tmp_path, *lines)
    with pytest.raises(UserError) as caught:
        holdfast.check(path, path)
    assert said in str(caught.value)


def test_different_documents_are_not_compared(tmp_path: Path) -> None:
    old = logged(tmp_path / "old", *(document(i, True) for i in range(20)))
    changed = [document(i, True, arguments=[[f"Question {i}", {}]]) for i in range(20)]
    with pytest.raises(UserError, match="were not asked the same: 20 of 20 prompts differ"):
        holdfast.check(old, logged(tmp_path / "new", *changed))


def test_documents_of_one_side_are_counted(tmp_path: Path) -> None:
    old = logged(tmp_path / "old", *(document(i, True) for i in range(50)))
    new = logged(tmp_path / "new", *(document(i, True) for i in range(10, 60)))
    result = holdfast.check(old, new)
    assert result.tasks == {"gsm8k": 40}
    assert "20 answers have no counterpart on the other side and are left out" in result.warnings


def test_metrics_that_stand_for_a_task_must_agree(tmp_path: Path) -> None:
    old = logged(tmp_path / "old", *(document(i, True) for i in range(20)))
    new = logged(tmp_path / "new", *(document(i, True, metrics=["acc"], acc=1.0) for i in range(20)))
    with pytest.raises(UserError, match="task 'gsm8k' is exact_match in one and acc in the other"):
        holdfast.check(old, new)


def test_three_samples_are_enough_for_looks(tmp_path: Path) -> None:
    found = sequential(tmp_path, 3, old=0.0, new=0.0)
    assert found["verdict"] == "UNDECIDED"
    assert [look["samples"] for look in found["looks"]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--plan", "--self_test"], "omit --self_test"),
        (["--plan", "--undecided", "pass"], "omit --undecided"),
        (["--json", "--markdown"], "only one of --json, --junit and --markdown can be printed"),
    ],
)
def test_flags_that_exclude_each_other_are_refused(
    flags: list[str], said: str, pairs_of: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    run = pairs_of(12)
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--baseline", f"{run}:old", "--candidate", f"{run}:new", *flags])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_lm_evals_results_say_whether_more_is_better(tmp_path: Path) -> None:
    """Of an unknown metric, only results_*.json tells."""
    lines = [document(i, True, metrics=["edits"], edits=5.0 + i % 2) for i in range(40)]
    old = logged(tmp_path / "old", *lines)
    new = logged(tmp_path / "new", *(line | {"edits": line["edits"] - 3 - line["doc_id"] % 3} for line in lines))
    assert holdfast.check(old, new).verdict == "FAIL"
    for folder in (old.parent, new.parent):
        results = {"higher_is_better": {"gsm8k": {"edits": False}}}
        (folder / "results_2026-11-29T10-00-00.123456.json").write_text(json.dumps(results))
    result = holdfast.check(old, new)
    assert (result.verdict, result.primaries[0].better) == ("PASS", 40)
