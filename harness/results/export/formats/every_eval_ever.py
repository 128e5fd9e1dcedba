"""Records of Every Eval Ever, schema 0.3: one aggregate and one file of instances for each adapter and task."""

import hashlib
import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from holdfast.harness.results.export.exported_run import (
    CONFIDENCE,
    ExportedRun,
    Measured,
    Part,
    condition_of,
    file_names,
    writable,
)
from holdfast.harness.results.export.exporter import exporter
from holdfast.harness.store.lines import Line
from holdfast.harness.store.records import json_line
from holdfast.version import __version__
from holdfast.writing import write_text

SCHEMA = "0.3.0"

_COLLECTION = "holdfast"
_UNKNOWN = "unknown"
_DETAILS = ("perturbation", "severity", "repeat", "edit_rate", "edits", "meaning", "reason", "key")


@exporter("every_eval_ever")
def every_eval_ever(run: ExportedRun, folder: Path) -> None:
    """Write records of Every Eval Ever, with intervals.

    The tree is that of its data store. An instance is an answer with the task's headline score; drifts, edits and
    severity are its metadata. Runs don't store references, so lists of references are empty.
    """
    names = file_names(part.adapter.name for part in run.parts)
    developer, model = _base(run)
    for part in run.parts:
        identity = f"{developer}/{model}+{names[part.adapter.name]}"
        stamp = str(int(datetime.fromisoformat(run.finished).timestamp()))
        evaluation = f"{writable(part.task)}/{identity}/{stamp}"
        place = f"data/{_COLLECTION}/{developer}/{identity.split('/')[1]}"
        name = f"{place}/{_uuid(run, part)}"
        headline = {each.condition for each in part.numbers if each.name == part.entry.headline}
        lines = "".join(
            f"{json_line(_instance(part, answer, identity, evaluation))}\n"
            for answer in part.answers
            if part.entry.headline in answer["scores"] and condition_of(answer) in headline
        )
        aggregate = _aggregate(run, part, identity, evaluation, stamp)
        if lines:
            aggregate["detailed_evaluation_results"] = {
                "format": "jsonl",
                "file_path": f"{name}_samples.jsonl",
                "hash_algorithm": "sha256",
                "checksum": hashlib.sha256(lines.encode()).hexdigest(),
                "total_rows": lines.count("\n"),
            }
            write_text(folder / f"{name}_samples.jsonl", lines)
        write_text(folder / f"{name}.json", json.dumps(aggregate, ensure_ascii=False, indent=2) + "\n")


def _base(run: ExportedRun) -> tuple[str, str]:
    """Return the developer and the name of the base; a local checkpoint has no developer."""
    parts = writable(run.base).split("/")
    is_hub_name = len(parts) == 2 and all(parts) and not Path(run.manifest.directory, run.base).exists()
    developer = parts[0] if is_hub_name else _UNKNOWN
    plain = file_names([developer + " ", parts[-1]])
    return plain[developer + " "], plain[parts[-1]]


def _uuid(run: ExportedRun, part: Part) -> uuid.UUID:
    """Return a UUID that is the same whenever this part is exported."""
    text = f"{run.manifest.samples_sha256}|{writable(part.adapter.name)}|{writable(part.task)}"
    return uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4)


def _aggregate(run: ExportedRun, part: Part, identity: str, evaluation: str, stamp: str) -> dict[str, Any]:
    manifest = run.manifest
    details = {
        "deployment_type": "externally_managed" if manifest.config.model == "api" else "self_deployed",
        "model_availability": _UNKNOWN,
        "adapter": part.adapter.name,
        "adapter_digest": part.adapter.digest,
        "base_digest": manifest.base_digest,
    }
    return {
        "schema_version": SCHEMA,
        "evaluation_id": evaluation,
        "evaluation_timestamp": manifest.started,
        "retrieved_timestamp": stamp,
        "source_metadata": {
            "source_name": "holdfast run",
            "source_type": "evaluation_run",
            "source_organization_name": _UNKNOWN,
            "evaluator_relationship": "other",
            "additional_details": {"variants": manifest.variants, "samples_sha256": manifest.samples_sha256 or ""},
        },
        "eval_library": {
            "name": "holdfast",
            "version": manifest.versions.get("holdfast", __version__),
            "additional_details": writable(manifest.versions),
        },
        "model_info": {
            "name": identity.split("/")[1],
            "id": identity,
            "developer": identity.split("/")[0],
            "inference_engine": {
                "name": manifest.config.model,
                "version": str(manifest.engine.get(_package(manifest.config.model), _UNKNOWN)),
            },
            "additional_details": writable(details),
        },
        "evaluation_results": [_result(run, part, each) for each in part.numbers],
    }


def _package(model: str) -> str:
    return "transformers" if model == "hf" else model


def _result(run: ExportedRun, part: Part, number: Measured) -> dict[str, Any]:
    sampling = run.manifest.config.gen_kwargs
    uncertainty: dict[str, Any] = {"num_samples": number.samples}
    if number.low is not None and number.high is not None:
        uncertainty["confidence_interval"] = {
            "lower": number.low,
            "upper": number.high,
            "confidence_level": CONFIDENCE,
            "method": "Wilson for shares, else bootstrap over samples",
        }
    return {
        "evaluation_result_id": _result_id(part, number.condition, number.name),
        "evaluation_name": f"{writable(part.task)} ({number.condition})",
        "source_data": {
            "dataset_name": writable(part.task),
            "source_type": "other",
            "additional_details": {"digest": part.entry.digest, "samples": str(part.entry.samples)},
        },
        "metric_config": {
            "metric_id": f"holdfast.{number.name}",
            "metric_name": number.name,
            "metric_unit": "proportion" if number.in_unit else "points",
            "metric_parameters": {"condition": number.condition},
            "lower_is_better": not number.higher_is_better,
            "score_type": "continuous",
            "min_score": 0.0 if number.in_unit else "-Infinity",
            "max_score": 1.0 if number.in_unit else "Infinity",
        },
        "score_details": {"score": number.value, "uncertainty": uncertainty},
        "generation_config": {"generation_args": {"temperature": sampling.temperature, "top_p": sampling.top_p}},
    }


def _result_id(part: Part, condition: str, name: str) -> str:
    return f"{writable(part.task)}/{condition}/{name}"


def _instance(part: Part, answer: Line, identity: str, evaluation: str) -> dict[str, Any]:
    score = answer["scores"][part.entry.headline]
    condition = condition_of(answer)
    details = {name: answer[name] for name in _DETAILS} | answer["scores"]
    return {
        "schema_version": SCHEMA,
        "evaluation_id": evaluation,
        "model_id": identity,
        "evaluation_name": f"{part.task} ({condition})",
        "evaluation_result_id": _result_id(part, condition, part.entry.headline),
        "sample_id": answer["sample"],
        "interaction_type": "single_turn",
        "input": {"raw": answer["prompt"], "reference": []},
        "output": {
            "raw": [answer["output"]],
            **({"reasoning_trace": [answer["reasoning"]]} if "reasoning" in answer else {}),
        },
        "messages": None,
        "answer_attribution": [
            {
                "turn_idx": 0,
                "source": "output.raw",
                "extracted_value": answer["output"],
                "extraction_method": "whole output",
                "is_terminal": True,
            }
        ],
        "evaluation": {"score": score, "is_correct": score >= 1 if part.entry.higher_is_better else score <= 0},
        "metadata": {name: _text(value) for name, value in details.items()},
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
