"""`holdfast explain` and `holdfast drift`."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast import Results
from holdfast.errors import UserError
from holdfast.harness.actions.explaining import explain
from holdfast.harness.cli import main
from holdfast.metrics.drift import BREAK
from tests.harness.fakes import Fake

Run = Callable[..., Results]


@pytest.fixture
def texts(tmp_path: Path) -> list[str]:
    contents = ("Anna pays 12 euros. She likes tea.", "She likes tea. Anna pays 21 euros.")
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content)
    return [str(path) for path in paths]


def test_two_texts_are_shown_one_above_the_other_with_the_reason(
    texts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drift", *texts, "--encoder", "lexical"]) == 0
    out = capsys.readouterr().out
    most = re.match(r"max_drift (\d\.\d+), ", out)
    assert most
    assert float(most[1]) >= BREAK
    worst = next(block for block in out.split("\n\n") if "21 euros." in block).splitlines()
    assert re.split(r"\s{2,}", worst[0].strip()) == [most[1], "number 12 euros -> 21 euros"]
    assert [line.split(maxsplit=1) for line in map(str.strip, worst[1:])] == [
        ["clean", "Anna pays 12 euros."],
        ["perturbed", "Anna pays 21 euros."],
    ]
    assert max(map(len, out.splitlines())) <= 78


def test_two_texts_as_json(texts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift", *texts, "--encoder", "lexical", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reasons"] == ["number 12 euros -> 21 euros"]
    segment = found["clean"][0]
    assert segment.pop("drift") == found["scores"]["max_drift"] >= BREAK
    assert segment.pop("conflict") == found["scores"]["max_conflict"]
    number, *_ = segment.pop("differences")
    assert number == {"kind": "number", "strength": 1.0, "clean": ["12 euros"], "perturbed": ["21 euros"]}
    assert segment == {
        "text": "Anna pays 12 euros.",
        "start": 0,
        "end": 19,
        "partner": "Anna pays 21 euros.",
        "reason": "number 12 euros -> 21 euros",
    }


def test_a_file_that_cant_be_read_is_named(
    texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drift", texts[0], str(tmp_path / "none.txt")]) == 1
    assert "none.txt'" in capsys.readouterr().err


def test_one_text_may_come_on_standard_input(
    texts: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drift", *texts, "--encoder", "lexical"]) == 0
    expected = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(texts[1]).read_bytes())))
    assert main(["drift", texts[0], "-", "--encoder", "lexical"]) == 0
    assert capsys.readouterr().out == expected


def test_standard_input_is_one_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift", "-", "-"]) == 1
    assert "standard input can be only one of the two texts" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\x80\xa0\xff", "is not UTF-8 text"), (b"PK\x00\x03", "contains NUL bytes"), (None, "is a directory")],
)
def test_a_file_that_is_not_text_is_refused(
    content: bytes | None, message: str, texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir() if content is None else other.write_bytes(content)
    assert main(["drift", texts[0], str(other)]) == 1
    assert message in (error := capsys.readouterr().err)
    assert error.count("\n") == 1


def test_the_encoder_that_read_both_texts_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("a", "Лают две собаки."), ("b", "Лают три собаки.")):
        (tmp_path / name).write_text(text)
    assert main(["drift", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    shown = capsys.readouterr()
    assert "encoder lexical" in shown.out
    assert shown.err == ""


def test_the_worst_answer_of_a_run_is_explained(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    results = run(Fake(), perturbations="word_deletion@0.4")
    lines = [json.loads(line) for line in (results.path / "samples.jsonl").read_text().splitlines()]
    worst = max((line for line in lines if line["edits"]), key=lambda line: line["scores"]["max_drift"])
    explain(results.path, None, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["key"] == worst["key"]
    assert found["perturbed_output"] == worst["output"]
    assert found["scores"]["max_drift"] == worst["scores"]["max_drift"]
    explain(results.path, worst["key"], as_json=False)
    out = capsys.readouterr().out
    assert f"word_deletion@0.4 ({worst['key']})" in out
    assert f"[-{worst['edits'][0][1]}-]" in out


def test_only_perturbed_answers_are_explained(run: Run) -> None:
    results = run(Fake())
    lines = map(json.loads, (results.path / "samples.jsonl").read_text().splitlines())
    clean = next(line["key"] for line in lines if line["perturbation"] == "clean")
    with pytest.raises(UserError, match="is the answer to the clean prompt"):
        explain(results.path, clean, as_json=False)
