"""Logs of Inspect (inspect_ai): its viewer and its data frames read them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdfast.harness.results.export.exported_run import ExportedRun, Measured, Part, condition_of, file_names, writable
from holdfast.harness.results.export.exporter import exporter
from holdfast.harness.store.lines import Line
from holdfast.harness.store.records import CLEAN, json_line
from holdfast.version import __version__
from holdfast.writing import write_text

_VERSION = 2
"""Of the format of logs."""

_STOPS = {"stop": "stop", "length": "max_tokens", "filtered": "content_filter"}
_DETAILS = (
    *("key", "perturbation", "severity", "repeat", "edit_rate", "edits", "meaning", "reason", "tokens", "truncated"),
    *("groups", "item", "failure", "reasoning", "segments", "likelihoods"),
)
"""Fields of an answer that an Inspect sample has no place for but its metadata."""


@exporter("inspect")
def inspect_log(run: ExportedRun, folder: Path) -> None:
    """Write a log of Inspect (inspect_ai) for each adapter and task.

    A sample is an answer: its metadata holds the perturbation and its edits, its scores the scores and drifts. Runs
    don't store references, so targets are empty.
    """
    names = file_names(map(_place, run.parts))
    started = run.manifest.started[:19].replace(":", "-")
    for part in run.parts:
        name = f"{started}_{names[_place(part)]}.json"
        write_text(folder / name, json_line(_log(run, part)))


def _place(part: Part) -> str:
    return f"{part.task}\0{part.adapter.name}"


def _log(run: ExportedRun, part: Part) -> dict[str, Any]:
    manifest, model = run.manifest, f"{run.manifest.config.model}/{writable(run.base)}"
    sampling = manifest.config.gen_kwargs
    samples = [_sample(answer, model) for answer in part.answers]
    return {
        "version": _VERSION,
        "status": "success",
        "eval": {
            "eval_id": f"{part.adapter.digest[:16]}{part.entry.digest[:6]}",
            "run_id": (manifest.samples_sha256 or "")[:22],
            "created": manifest.started,
            "task": part.task,
            "task_id": part.entry.digest[:22],
            "task_display_name": f"{part.task} ({part.adapter.name})",
            "dataset": {
                "name": part.task,
                "samples": len(samples),
                "sample_ids": [sample["id"] for sample in samples],
                "shuffled": False,
            },
            "model": model,
            "model_generate_config": {"temperature": sampling.temperature, "top_p": sampling.top_p},
            "model_args": writable(dict(manifest.config.model_args)),
            "config": {"epochs": 1},
            "packages": {"holdfast-eval": __version__, **manifest.versions},
            "tags": ["holdfast", part.adapter.name],
            "metadata": {
                "adapter": part.adapter.name,
                "adapter_digest": part.adapter.digest,
                "adapter_scale": part.adapter.scale,
                "mitigation": part.adapter.mitigation,
                "base_digest": manifest.base_digest,
                "task_digest": part.entry.digest,
                "variants": manifest.variants,
            },
        },
        "plan": {"name": "holdfast run", "steps": []},
        "results": {
            "total_samples": len(samples),
            "completed_samples": len(samples),
            "scores": [_scorer(name, part) for name in dict.fromkeys(each.name for each in part.numbers)],
        },
        "stats": {"started_at": _utc(manifest.started), "completed_at": _utc(run.finished)},
        "samples": samples,
    }


def _scorer(name: str, part: Part) -> dict[str, Any]:
    """Return a score with a metric for each condition."""
    numbers = {each.condition: each for each in part.numbers if each.name == name}
    return {
        "name": name,
        "scorer": name,
        "metrics": {condition: _metric(condition, each) for condition, each in numbers.items()},
    }


def _metric(condition: str, number: Measured) -> dict[str, Any]:
    interval = {} if number.low is None else {"ci95_low": number.low, "ci95_high": number.high}
    return {"name": condition, "value": number.value, "metadata": {"samples": number.samples, **interval}}


def _sample(answer: Line, model: str) -> dict[str, Any]:
    clean = answer["perturbation"] == CLEAN
    place = answer["sample"] if clean else f"{answer['sample']}/{condition_of(answer)}/{answer['repeat']}"
    said = {"role": "assistant", "content": answer["output"], "source": "generate"}
    return {
        "id": place,
        "epoch": 1,
        "input": answer["prompt"],
        "target": "",
        "messages": [{"role": "user", "content": answer["prompt"], "source": "input"}, said],
        "output": {
            "model": model,
            "choices": [{"message": said, "stop_reason": _STOPS.get(answer["finish"], "unknown")}],
        },
        "scores": {
            name: {"value": value, "answer": answer["output"], "explanation": answer["reason"] or None}
            for name, value in answer["scores"].items()
        },
        "metadata": {"sample": answer["sample"], **{name: answer[name] for name in _DETAILS if name in answer}},
    }


def _utc(time: str) -> str:
    return datetime.fromisoformat(time).astimezone(UTC).isoformat()
