"""A run's folder: whose it is, and that its answers are those that its run wrote."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results, UserError, leaderboard, load_run
from holdfast.harness.cli import main
from holdfast.harness.store.manifest import read_manifest
from holdfast.tasks import load_task
from tests.harness.fakes import Fake, Killed
from tests.harness.manifests import change_manifest

Evaluate = Callable[..., Results]
Line = dict[str, Any]


@pytest.fixture
def finished(run: Evaluate) -> Path:
    return run(Fake()).path


def edit(folder: Path, change: Callable[[list[Line]], object]) -> None:
    path = folder / "samples.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_finished_run_holds_its_digest_and_count(finished: Path) -> None:
    content = (finished / "samples.jsonl").read_bytes()
    manifest = json.loads((finished / "run.json").read_text())
    assert manifest["samples_sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["generations"] == content.count(b"\n")


EDITS: dict[str, tuple[Callable[[list[Line]], object], str]] = {
    "a score": (lambda lines: lines[3]["scores"].update(exact_match=1.0), "doesn't match the SHA-256 in run.json"),
    "an answer": (lambda lines: lines[3].update(output="Lyon"), "doesn't match the SHA-256 in run.json"),
    "a line less": (lambda lines: lines.pop(), "lines, but run.json says"),
    "a line twice": (lambda lines: lines.append(lines[0]), "lines, but run.json says"),
}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("read", [load_run, leaderboard, lambda path: main(["explain", str(path)])])
def test_every_reader_notices_an_edited_run(
    finished: Path, name: str, read: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    change, message = EDITS[name]
    edit(finished, change)
    try:
        assert read(finished) == 1
        said = capsys.readouterr().err
    except UserError as error:
        said = str(error)
    assert message in said
    assert "samples.jsonl" in said


WRONG: dict[str, tuple[Callable[[list[Line]], object], str]] = {
    "key twice": (lambda lines: lines[1].update(key=lines[0]["key"]), "duplicate key"),
    "text score": (lambda lines: lines[0]["scores"].update(exact_match="x"), "line 1 is not an answer"),
    "no score": (lambda lines: lines[0].pop("scores"), "line 1 is not an answer of a run: scores"),
    "NaN": (lambda lines: lines[0]["scores"].update(exact_match=float("nan")), "line 1 is not an answer"),
    "list": (lambda lines: lines.__setitem__(0, [1]), "no JSON object"),  # type: ignore[call-overload]
    "tokens": (lambda lines: lines[0].update(tokens="x"), "tokens"),
    "edits": (lambda lines: lines[0].update(edits=[[1]]), "edits"),
    "adapter": (lambda lines: lines[0].update(adapter="nobody"), "adapter 'nobody' is not in run.json"),
    "task": (lambda lines: lines[0].update(task="none"), "task 'none' is not in run.json"),
    "perturbation": (lambda lines: lines[0].update(perturbation="ocr"), "perturbation 'ocr' is not in run.json"),
}


@pytest.mark.parametrize("name", WRONG)
def test_lines_that_no_run_writes_are_named(run: Evaluate, tmp_path: Path, name: str) -> None:
    with pytest.raises(Killed):
        run(Fake(dies_at=8))
    folder = tmp_path / "run"
    change, message = WRONG[name]
    edit(folder, change)
    with pytest.raises(UserError, match=message):
        load_run(folder)


def test_an_edited_manifest_is_noticed(finished: Path) -> None:
    path = finished / "run.json"
    path.write_text(path.read_text().replace('"break_threshold": 0.5', '"break_threshold": 0.9'))
    with pytest.raises(UserError, match="run.json was edited: restore it, or make the run again in another directory"):
        load_run(finished)


def test_a_digest_that_was_taken_out_is_noticed(finished: Path) -> None:
    manifest = read_manifest(finished)
    assert manifest is not None
    manifest.model_copy(update={"samples_sha256": None}).write(finished)
    with pytest.raises(UserError, match="has no samples_sha256: the file was edited: restore it"):
        load_run(finished)


@pytest.mark.parametrize("verb", ["leaderboard", "explain", "shrink"])
@pytest.mark.parametrize("edited", ["run.json", "samples.jsonl"])
def test_readers_are_not_told_to_write_elsewhere(
    finished: Path, verb: str, edited: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = finished / edited
    path.write_text(path.read_text().replace("typos", "typo"))
    assert main([verb, str(finished)]) == 1
    said = capsys.readouterr().err
    assert "make the run again in another directory" in said
    assert "--output_path" not in said


def test_a_headline_that_no_metric_gives_is_refused(finished: Path) -> None:
    tasks = json.loads((finished / "run.json").read_text())["tasks"]
    first = next(iter(tasks))
    change_manifest(finished, tasks={**tasks, first: {**tasks[first], "headline": "nonsense"}})
    with pytest.raises(UserError, match=f"no metric gives the headline 'nonsense' of task '{first}'"):
        load_run(finished)


def test_a_run_without_a_digest_is_read_with_a_warning(finished: Path) -> None:
    before = load_run(finished).leaderboard
    change_manifest(finished, samples_sha256=None)
    with pytest.warns(UserWarning, match="run.json has no samples_sha256"):
        assert load_run(finished).leaderboard.equals(before)


def test_an_edited_finished_run_is_not_resumed(run: Evaluate) -> None:
    path = run(Fake()).path
    edit(path, lambda lines: lines[3].update(output="Lyon"))
    before = (path / "samples.jsonl").read_bytes()
    with pytest.raises(UserError, match="doesn't match the SHA-256"):
        run(Fake())
    assert (path / "samples.jsonl").read_bytes() == before


@pytest.mark.parametrize("name", ["samples.jsonl", "notes.txt", ".hidden", "run.json"])
def test_a_folder_with_other_files_stays_as_it_is(run: Evaluate, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / name).write_text('{"mine": 1}\n{"mine": 2}')
    with pytest.raises(UserError, match="no run wrote|was edited|not valid JSON"):
        run(Fake())
    assert [path.name for path in folder.iterdir()] == [name]
    assert (folder / name).read_text() == '{"mine": 1}\n{"mine": 2}'


def test_samples_that_no_run_wrote_keep_their_last_line(run: Evaluate, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(Fake(dies_at=3))
    samples = tmp_path / "run" / "samples.jsonl"
    for mine in ('{"mine": 1}\n{"mine": 2}', "just one line of mine"):
        samples.write_text(mine)
        with pytest.raises(UserError, match="not an answer of a run"):
            run(Fake())
        assert samples.read_text() == mine


def refuse(*_: object) -> None:
    raise UserError("the engine does not start")


def test_a_failed_start_leaves_no_folder(run: Evaluate, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not start"):
        run(refuse, output_path=str(tmp_path / "new" / "nested" / "run"))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_start_leaves_the_user_s_folder(run: Evaluate, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(UserError, match="does not start"):
        run(refuse)
    assert list((tmp_path / "run").iterdir()) == []


def test_the_folder_says_whose_it_is_from_the_start(run: Evaluate, tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def look(*_: object) -> None:
        seen.append(sorted(path.name for path in (tmp_path / "run").iterdir()))
        raise UserError("stop")

    with pytest.raises(UserError, match="stop"):
        run(look)
    assert seen == [["run.json", "samples.jsonl"]]


SMALL = "run --adapters base --perturbations char_deletion@0.5 --encoder lexical --min_meaning 0".split()


def write_data(path: Path) -> None:
    samples = load_task("factual_qa").samples[:4]
    path.write_text("".join(json.dumps({"id": each.id, "content": each.content}) + "\n" for each in samples))


def test_explain_and_shrink_work_from_any_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_data(Path("data.jsonl"))
    assert main([*SMALL, "--tasks", "data.jsonl", "--output_path", "run"]) == 0
    monkeypatch.chdir("/")
    capsys.readouterr()
    assert main(["shrink", str(tmp_path / "run")]) == 0
    assert "prompts generated" in capsys.readouterr().out
    assert main(["explain", str(tmp_path / "run")]) == 0


def test_shrink_notices_changed_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data.jsonl"
    write_data(data)
    assert main([*SMALL, "--tasks", str(data), "--output_path", str(tmp_path / "run")]) == 0
    data.write_text(data.read_text().replace("the", "a"))
    assert main(["shrink", str(tmp_path / "run")]) == 1
    assert "have changed since the run" in capsys.readouterr().err
