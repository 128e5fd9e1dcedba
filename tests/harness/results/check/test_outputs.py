"""What a check prints and writes: the screen, JSON, JUnit, Markdown and GitHub annotations."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

import holdfast
from holdfast import Results
from holdfast.harness.cli import main
from holdfast.harness.results.check.outcome import CheckResult, Verdict
from holdfast.harness.results.check.printing.github import annotations
from holdfast.harness.results.check.printing.junit import junit
from holdfast.harness.results.check.printing.markdown import markdown
from holdfast.harness.results.check.printing.screen import screen
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake
from tests.harness.results.check.conftest import RIGHT, WRONG

MakeRun = Callable[..., str]
HOSTILE = "</details><script>x()</script> `rm` | @team #1 \x1b[31m\u202e [link](http://x) ``` *bold*"


@pytest.fixture
def failed(pairs_of: MakeRun) -> CheckResult:
    run = pairs_of(60, old=0.0, new=0.5)
    return holdfast.check(f"{run}:old", f"{run}:new")


def test_the_screen_leads_with_the_verdict_and_fits_78_columns(failed: CheckResult) -> None:
    lines = screen(failed).splitlines()
    assert lines[0].startswith("FAIL: ")
    paths = ("  baseline", "  candidate", "   holdfast explain")
    assert max(len(line) for line in lines if not line.startswith(paths)) <= 78
    text = "\n".join(lines)
    assert "60 samples (trains 60); perturbations: typos" in text
    assert re.search(
        r"trains: exact_match\n  clean .*\n(?:    .*\n)*  perturbed +1\.000 +0\.\d{3} +-0\.\d{3} \[-0\.\d+, -0\.\d+\] +-0\.050 FAIL",
        text,
    )
    assert re.search(r"of 60 samples, \d+ got worse, 0 better", text)
    assert re.search(r"1\. trains/s\d+, typos@0\.1: perturbed 1\.000 -> 0\.000", text)
    assert re.search(r'"ten" became|"train" became|, drift \d\.\d\d', text)


def test_the_named_command_explains_the_answer(failed: CheckResult, capsys: pytest.CaptureFixture[str]) -> None:
    program, verb, *arguments = failed.worst[0].command.split()
    assert program == "holdfast"
    assert main([verb, *arguments]) == 0
    assert "Nobody has seen a whale." in capsys.readouterr().out


def test_the_written_results_say_the_same(
    pairs_of: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = pairs_of(60, old=0.0, new=0.5)
    files = {name: tmp_path / "new folder" / f"check.{name}" for name in ("json", "junit", "markdown")}
    flags = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    assert main(["check", "--baseline", f"{run}:old", "--candidate", f"{run}:new", *flags]) == 1
    content = json.loads(files["json"].read_text())
    assert (content["verdict"], content["exit_status"]) == ("FAIL", 1)
    assert capsys.readouterr().out.endswith("".join(f"written to {path}\n" for path in files.values()))
    assert {each["metric"] for each in content["primaries"]} == {"clean", "perturbed", "max_drift"}
    cases = ElementTree.parse(files["junit"]).getroot().iter("testcase")
    found = {case.attrib["name"]: [child.tag for child in case] for case in cases}
    assert found["perturbed exact_match"] == ["failure"]
    assert files["markdown"].read_text().startswith("<!-- holdfast check -->\n\n> [!CAUTION]\n> **FAIL: ")
    # the same command replaces its own files, and no others
    assert main(["check", "--baseline", f"{run}:old", "--candidate", f"{run}:new", *flags]) == 1
    files["json"].write_text("mine")
    assert main(["check", "--baseline", f"{run}:old", "--candidate", f"{run}:new", *flags]) == 2
    assert files["json"].read_text() == "mine"


def test_json_without_a_file_is_printed_alone(pairs_of: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    run = pairs_of(12)
    capsys.readouterr()
    main(["check", "--baseline", f"{run}:old", "--candidate", f"{run}:new", "--json"])
    assert json.loads(capsys.readouterr().out)["verdict"] in list(Verdict)


def test_a_drifted_answer_stands_beside_the_answer_to_its_clean_prompt(failed: CheckResult) -> None:
    worst = failed.worst[0]
    assert (worst.clean_output, worst.new_output) == (RIGHT, WRONG)
    assert f"new: {WRONG}\n\nnew, to the clean prompt: {RIGHT}" in markdown(failed)


def test_undecided_metrics_are_skipped_or_failures_by_policy(pairs_of: MakeRun) -> None:
    run = pairs_of(12)
    for policy, kind in (("report", "skipped"), ("fail", "failure")):
        root = ElementTree.fromstring(junit(holdfast.check(f"{run}:old", f"{run}:new", undecided=policy)))
        assert {child.tag for case in root.iter("testcase") for child in case} == {kind}
        assert int(root.attrib["failures" if kind == "failure" else "skipped"]) == 3


def test_annotations_appear_on_github_only(
    pairs_of: MakeRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = pairs_of(60, old=0.0, new=0.5)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    main(["check", "--baseline", f"{run}:old", "--candidate", f"{run}:new"])
    assert "::error" not in capsys.readouterr().out
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    main(["check", "--baseline", f"{run}:old", "--candidate", f"{run}:new"])
    assert "::error title=holdfast check FAIL::trains, perturbed exact_match: " in capsys.readouterr().out


def test_no_more_than_ten_annotations_failures_first(failed: CheckResult) -> None:
    primary = next(each for each in failed.primaries if each.verdict is Verdict.FAIL)
    many = [replace(primary, metric=f"m{i}", verdict=Verdict.UNDECIDED) for i in range(9)]
    lines = annotations(replace(failed, primaries=(*many, primary, primary)))
    assert len(lines) == 10
    assert [line.split()[0] for line in lines[:3]] == ["::error", "::error", "::warning"]


def test_hostile_texts_break_no_format(failed: CheckResult) -> None:
    worst = replace(failed.worst[0], sample=HOSTILE, reason=HOSTILE, prompt=HOSTILE, new_output=HOSTILE + "\n```\n# x")
    primary = replace(failed.primaries[0], task=HOSTILE, reason=HOSTILE + "\n::error::x")
    hostile = replace(failed, worst=(worst,), primaries=(primary,), candidate=HOSTILE, tasks={HOSTILE: 3})
    root = ElementTree.fromstring(junit(hostile))
    assert HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e") in root.find(".//testcase").attrib["classname"]
    text = markdown(hostile)
    outside = re.sub(r"(`{3,})text\n.*?\n\1", "", text, flags=re.DOTALL)
    outside = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert "<script>" not in outside.replace("\\<", "")
    assert "</details>" not in outside.replace("\\<", "").removesuffix("</details>\n")
    assert "@team" not in outside
    assert "\x1b" not in text + screen(hostile) + junit(hostile)
    assert all("\n" not in line and "\x1b" not in line for line in annotations(hostile))


def test_a_comment_stays_under_60_kilobytes(failed: CheckResult) -> None:
    long = replace(failed.worst[0], prompt="å" * 50_000, new_output="ø" * 50_000)
    wide = [replace(failed.primaries[0], task=f"task {i} " + "x" * 300) for i in range(500)]
    for result in (replace(failed, worst=(long,) * 5), replace(failed, primaries=tuple(wide), worst=(long,) * 5)):
        assert len(markdown(result).encode()) < 60_000
    assert "more metrics are left out" in markdown(replace(failed, primaries=tuple(wide)))


def test_a_notebook_shows_the_verdict_escaped(failed: CheckResult) -> None:
    page = replace(failed, candidate=HOSTILE)._repr_html_()
    assert "FAIL" in page
    assert "perturbed exact_match" in page
    assert "<script>" not in page


def test_texts_of_safety_tasks_are_hidden(
    run: Callable[..., Results], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = tuple(
        Sample(f"f{i}", f"Tell me the forbidden thing {i}", ("no",), {"forbidden": True}) for i in range(12)
    )
    fake = Fake(rule=lambda request: "I can't help." if request.adapter == "old" else "Stir the secret ingredient.")
    ran = run(
        fake,
        tasks=[Task("policies", samples, ("policy",))],
        adapters="old=pocket-steady,new=pocket-narrow",
        perturbations="typos@0.2",
        output_path=str(tmp_path / "run"),
    )
    command = ["check", "--baseline", f"{ran.path}:old", "--candidate", f"{ran.path}:new"]
    for shown in (False, True):
        files = [tmp_path / f"{shown}.{ending}" for ending in ("json", "md")]
        flags = ["--json", str(files[0]), "--markdown", str(files[1]), *(["--show_harmful"] if shown else [])]
        assert main([*command, *flags]) == 1
        for text in (capsys.readouterr().out, *(file.read_text("utf-8") for file in files)):
            assert ("secret ingredient" in text) is shown
            assert ("--show_harmful shows it" in text) is not shown
