"""What is exported is read back with the other projects' own packages."""

import json
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries
from lm_eval.utils import get_file_datetime, get_file_task_name, make_table

from holdfast.harness.results.check.lm_eval_answers import read_lm_eval
from holdfast.harness.results.export.exported_run import exported_run
from holdfast.harness.results.export.exporter import exporters
from tests.harness.results.export.conftest import WRITTEN

SCHEMAS = Path(__file__).parent / "schemas"
_BLOCK = 2**15
CONDITIONS = {"clean", "identity@0", "typos@light", "spacing@light"}


def test_inspect_reads_samples_scores_and_edits(exported: Callable[[str], Path]) -> None:
    log_module = pytest.importorskip("inspect_ai.log", reason="inspect_ai is not installed: see docs/exports.md")
    folder = exported("inspect")
    logs = {log.eval.metadata["adapter"]: log for log in map(log_module.read_eval_log, map(str, folder.iterdir()))}
    assert logs.keys() == {"old", "new"}
    samples = {sample.id: sample for sample in logs["new"].samples}
    assert len(samples) == 6 * len(CONDITIONS)
    assert samples["s003"].output.completion == WRITTEN
    edited = samples["s000/typos@light/0"]
    assert edited.metadata["edits"]
    assert edited.metadata["perturbation"] == "typos"
    assert edited.scores["exact_match"].value == 0
    assert edited.scores["max_drift"].value == 0
    [score] = [each for each in logs["old"].results.scores if each.name == "exact_match"]
    assert {name: each.value for name, each in score.metrics.items()} == dict.fromkeys(CONDITIONS, 1)


def test_inspects_data_frames_show_drifts(exported: Callable[[str], Path]) -> None:
    analysis = pytest.importorskip("inspect_ai.analysis", reason="inspect_ai is not installed: see docs/exports.md")
    folder = str(exported("inspect"))
    samples, evals = analysis.samples_df(folder), analysis.evals_df(folder)
    assert len(samples) == 2 * 6 * len(CONDITIONS)
    assert samples.loc[samples["metadata_perturbation"] == "typos", "score_max_drift"].notna().all()
    assert set(evals["task_name"]) == {"trains"}


def test_every_eval_ever_matches_its_schema(exported: Callable[[str], Path]) -> None:
    whole, instance = (
        jsonschema.Draft7Validator(json.loads((SCHEMAS / name).read_text()))
        for name in ("every_eval_ever.json", "every_eval_ever_instance.json")
    )
    folder = exported("every_eval_ever")
    aggregates = sorted(folder.rglob("*.json"))
    assert len(aggregates) == 2
    for path in aggregates:
        content = json.loads(path.read_text("utf-8"))
        whole.validate(content)
        details = content["detailed_evaluation_results"]
        assert details["file_path"] == f"{path.relative_to(folder).with_suffix('')}_samples.jsonl"
        lines = [json.loads(line) for line in (folder / details["file_path"]).read_text("utf-8").split("\n")[:-1]]
        assert len(lines) == details["total_rows"] == 6 * len(CONDITIONS)
        results = {each["evaluation_result_id"] for each in content["evaluation_results"]}
        for line in lines:
            instance.validate(line)
            assert line["evaluation_id"] == content["evaluation_id"]
            assert line["evaluation_result_id"] in results


def test_every_eval_ever_has_the_intervals(exported: Callable[[str], Path]) -> None:
    [old] = [path for path in exported("every_eval_ever").rglob("*.json") if path.parent.name.endswith("+old")]
    results = {each["evaluation_result_id"]: each for each in json.loads(old.read_text())["evaluation_results"]}
    clean = results["trains/clean/exact_match"]["score_details"]
    assert clean["score"] == 1
    interval = clean["uncertainty"]["confidence_interval"]
    assert interval["lower"] == pytest.approx(0.6096, abs=1e-3)
    assert interval["confidence_level"] == 0.95
    assert results["trains/typos@light/max_drift"]["metric_config"]["lower_is_better"]


def test_lm_eval_prints_its_table(exported: Callable[[str], Path]) -> None:
    [file] = exported("lm_eval").glob("old/results_*.json")
    content = json.loads(file.read_text("utf-8"))
    table = make_table(content)
    assert re.search(r"\|trains_typos_light *\|.*exact_match", table) or "trains_typos_light" in table
    assert content["results"]["trains"]["exact_match,none"] == 1
    assert content["higher_is_better"]["trains"]["exact_match"] is True


def test_names_of_samples_are_those_of_lm_eval(exported: Callable[[str], Path]) -> None:
    folder = exported("lm_eval") / "new"
    names = [path.name for path in folder.glob("samples_*.jsonl")]
    assert {get_file_task_name(name) for name in names} == {
        *("trains", "trains_identity_0", "trains_typos_light", "trains_spacing_light")
    }
    [results] = folder.glob("results_*.json")
    assert {get_file_datetime(name) for name in names} == {results.stem.removeprefix("results_")}


def test_check_reads_the_samples_of_lm_eval(exported: Callable[[str], Path]) -> None:
    answers = read_lm_eval(exported("lm_eval") / "new")
    clean = answers.table[answers.table["task"] == "trains"]
    assert len(clean) == 6
    assert (clean["exact_match"] == 0).all()
    assert answers.tasks["trains"].headline == "exact_match"
    texts = answers.texts(list(clean["key"]))
    assert WRITTEN in {each["output"] for each in texts.values()}


def test_a_model_card_has_the_results(exported: Callable[[str], Path]) -> None:
    card = ModelCard.load(exported("model-index") / "old" / "README.md")
    found = {(each.dataset_config, each.metric_type): each for each in card.data.eval_results}
    assert found["clean", "exact_match"].metric_value == 1
    assert found["typos@light", "max_drift"].metric_value == 0
    assert "[0.610, 1.000], n = 6" in found["clean", "exact_match"].metric_name


def test_eval_results_name_the_data_set_of_the_hub(hostile: Path, tmp_path: Path) -> None:
    run = exported_run(hostile)
    config = run.manifest.config.model_copy(update={"tasks": ["owner/trains"]})
    exporters.get("eval_results").write(
        replace(run, manifest=run.manifest.model_copy(update={"config": config})), tmp_path
    )
    content = yaml.safe_load((tmp_path / "old/.eval_results/trains.yaml").read_text())
    entries = {each.task_id: each for each in parse_eval_result_entries(content)}
    assert entries["exact_match"].dataset_id == "owner/trains"
    assert entries["exact_match"].value == 1
    assert entries["exact_match/typos@light"].notes.startswith("typos@light, 6 samples, 95 % interval [0.610, 1.000]")


def test_mlflow_reads_the_runs(exported: Callable[[str], Path]) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed: pip install 'holdfast-eval[exports]'")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{exported('mlflow')}/mlflow.db")
    [experiment] = [each for each in client.search_experiments() if each.name == "run"]
    runs = {each.info.run_name: each for each in client.search_runs([experiment.experiment_id])}
    assert runs.keys() == {"old", "new"}
    assert runs["old"].data.metrics["trains/clean/exact_match"] == 1
    assert runs["old"].data.metrics["trains/clean/exact_match_low"] == pytest.approx(0.6096, abs=1e-3)
    assert runs["new"].data.metrics["trains/typos/light/exact_match"] == 0
    assert runs["old"].data.params["severity"] == "['light']"
    assert {each.path for each in client.list_artifacts(runs["old"].info.run_id)} >= {"run.json", "breakdown.csv"}


def test_wandb_reads_the_runs(exported: Callable[[str], Path]) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed: pip install 'holdfast-eval[exports]'")
    files = sorted(exported("wandb").rglob("*.wandb"))
    found = dict(map(_summary_of, files))
    assert found["old"]["trains/clean/exact_match"] == 1
    assert found["new"]["trains/typos@light/exact_match"] == 0


def _summary_of(file: Path) -> tuple[str, dict[str, Any]]:
    """The name and the summary of an offline run."""
    from wandb.proto import wandb_internal_pb2

    name, summary = "", {}
    for data in _records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        name = record.run.display_name or name
        summary |= {item.key or "/".join(item.nested_key): item.value_json for item in record.summary.update}
    return name, {key: json.loads(value) for key, value in summary.items()}


def _records(content: bytes) -> Iterator[bytes]:
    """The records of a log of LevelDB, behind a header of 7 bytes: wandb reads its own files in Go only."""
    place, record = 7, b""
    while place + 7 <= len(content):
        if (left := _BLOCK - place % _BLOCK) < 7:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        record += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield record
            record = b""
