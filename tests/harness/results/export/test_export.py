"""Which runs are exported, where to, and what is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.errors import UserError
from holdfast.harness.actions.sharing.exporting import export
from holdfast.harness.cli import main
from holdfast.harness.results.export.exported_run import exported_run
from holdfast.harness.results.export.exporter import Exporter, exporters
from tests.harness.fakes import Fake
from tests.harness.results.report.conftest import run_of, trains


def test_every_format_has_a_name_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    said = capsys.readouterr().out
    for name in ("inspect", "every_eval_ever", "lm_eval", "model-index", "eval_results", "mlflow", "wandb"):
        assert f"  {name} " in said


def test_the_normal_form_has_the_numbers_of_the_breakdown(hostile: Path) -> None:
    [part] = [part for part in exported_run(hostile).parts if part.adapter.name == "old"]
    numbers = {(each.condition, each.name): each for each in part.numbers}
    assert numbers["clean", "exact_match"].value == 1
    assert numbers["typos@light", "exact_match"].value == 1
    assert numbers["typos@light", "max_drift"].value == 0
    assert not numbers["typos@light", "max_drift"].higher_is_better
    assert numbers["clean", "exact_match"].samples == 6
    low = numbers["clean", "exact_match"].low
    assert low == pytest.approx(0.6096, abs=1e-3)  # Wilson, 6 of 6: 6 / (6 + 1.96 ** 2)


def test_an_unknown_format_names_the_nearest(hostile: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'lm_eval'"):
        export(hostile, "lm_evil")


def test_files_are_replaced_only_with_force(hostile: Path, tmp_path: Path) -> None:
    [log, *_] = export(hostile, "inspect", output_path=tmp_path / "logs")
    log.write_text("mine")
    with pytest.raises(UserError, match="already exists: add --force"):
        export(hostile, "inspect", output_path=tmp_path / "logs")
    assert log.read_text() == "mine"
    export(hostile, "inspect", output_path=tmp_path / "logs", force=True)
    assert json.loads(log.read_text())["version"] == 2


def test_exporting_twice_gives_equal_files(hostile: Path, tmp_path: Path) -> None:
    for to in ("inspect", "lm_eval", "every_eval_ever", "model-index"):
        first, second = (export(hostile, to, output_path=tmp_path / to / name) for name in "ab")
        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_run_that_is_not_finished_is_refused(hostile: Path, tmp_path: Path) -> None:
    run = shutil.copytree(hostile, tmp_path / "run")
    content = json.loads((run / "run.json").read_text())
    content |= {"status": "running", "own_sha256": None}
    (run / "run.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="is not finished"):
        export(run, "inspect")
    assert not (run / "exports").exists()


@pytest.mark.parametrize("change", ["edited", "older", "missing"])
def test_a_broken_run_is_one_clear_line(
    hostile: Path, tmp_path: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shutil.copytree(hostile, tmp_path / "run")
    if change == "edited":
        with (run / "samples.jsonl").open("a") as file:
            file.write("{}\n")
    if change == "older":
        content = json.loads((run / "run.json").read_text()) | {"schema_version": 0}
        (run / "run.json").write_text(json.dumps(content))
    if change == "missing":
        (run / "run.json").unlink()
    assert main(["export", str(run), "--to", "lm_eval", "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(run) in said
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_named(hostile: Path) -> None:
    def write(run: object, folder: Path) -> None: ...

    exporters.register("nowhere", Exporter("nowhere", write, modules=("not_installed_here",)))
    with pytest.raises(UserError, match=r"needs not_installed_here.*pip install"):
        export(hostile, "nowhere")


def test_eval_results_refuse_tasks_that_the_hub_lacks(hostile: Path) -> None:
    with pytest.raises(UserError, match="names data sets of the Hub, and task 'trains' is not one"):
        export(hostile, "eval_results")


def test_names_that_look_alike_in_files_stay_apart(tmp_path: Path) -> None:
    settings = {"perturbations": "typos+emoji,typos", "severity": "0.1", "adapters": "a_b=base,a-b=base,a+b=base"}
    tasks = [trains(2, "t"), trains(2, "t_typos_0.1")]
    run = run_of(tmp_path / "run", Fake(rule=lambda request: request.adapter), tasks=tasks, **settings)
    answers = sum(1 for _ in (run / "samples.jsonl").open())
    logs = export(run, "inspect", output_path=tmp_path / "logs")
    assert len(logs) == 6
    assert sum(len(json.loads(log.read_text())["samples"]) for log in logs) == answers
    samples = [path for path in export(run, "lm_eval", output_path=tmp_path / "lm") if path.suffix == ".jsonl"]
    assert sum(len(path.read_text().splitlines()) for path in samples) == answers
    records = [path for path in export(run, "every_eval_ever", output_path=tmp_path / "e") if path.suffix == ".jsonl"]
    assert len(records) == 6
    pytest.importorskip("mlflow")
    export(run, "mlflow", output_path=tmp_path / "m")


def test_filters_of_lm_eval_have_lines_of_their_own(hostile: Path, tmp_path: Path) -> None:
    run = exported_run(hostile)
    [part] = [part for part in run.parts if part.adapter.name == "old"]
    scores = {"exact_match,strict-match": 1.0, "exact_match,flexible": 0.0, "max_drift": 0.5}
    answers = tuple({**answer, "scores": scores} for answer in part.answers[:1])
    exporters.get("lm_eval").write(replace(run, parts=(replace(part, answers=answers),)), tmp_path)
    [file] = tmp_path.rglob("samples_trains_*.jsonl")
    lines = {line["filter"]: line for line in map(json.loads, file.read_text().splitlines())}
    assert lines["strict-match"]["exact_match"] == 1
    assert lines["flexible"]["exact_match"] == 0
    assert lines["none"]["metrics"] == ["max_drift"]
