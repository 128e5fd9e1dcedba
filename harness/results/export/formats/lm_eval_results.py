"""Results as lm-eval writes them with --log_samples: a folder for each adapter."""

import hashlib
import json
from pathlib import Path
from typing import Any

from holdfast.harness.results.export.exported_run import ExportedRun, Part, condition_of, file_names, writable
from holdfast.harness.results.export.exporter import exporter
from holdfast.harness.store.lines import Line
from holdfast.harness.store.records import CLEAN, json_line
from holdfast.writing import write_text

_FILTER = "none"


@exporter("lm_eval")
def lm_eval_results(run: ExportedRun, folder: Path) -> None:
    """Write the results and samples of lm-eval for each adapter.

    A task under a perturbation is a task of its own, as in `factual_qa_typos_light`. lm-eval has standard errors and no
    intervals, so `_stderr` is N/A. Runs don't store references, so targets are empty.
    """
    date = run.manifest.started[:19].replace(":", "-")
    adapters = file_names(part.adapter.name for part in run.parts)
    conditions = {(part.task, each.condition) for part in run.parts for each in part.numbers}
    conditions |= {(part.task, condition_of(answer)) for part in run.parts for answer in part.answers}
    tasks = file_names(_task(*each) for each in sorted(conditions))
    for adapter, name in adapters.items():
        results = _results(run, adapter, tasks)
        write_text(folder / name / f"results_{date}.json", json.dumps(results, ensure_ascii=False, indent=2) + "\n")
        for part in run.parts_of(adapter):
            for condition, answers in _by_condition(part).items():
                lines = [line for i, answer in enumerate(answers) for line in _samples(part, i, answer)]
                file = folder / name / f"samples_{tasks[_task(part.task, condition)]}_{date}.jsonl"
                write_text(file, "".join(f"{json_line(line)}\n" for line in lines))


def _results(run: ExportedRun, adapter: str, names: dict[str, str]) -> dict[str, Any]:
    manifest = run.manifest
    arguments = ",".join(f"{name}={value}" for name, value in manifest.config.model_args.items())
    found: dict[str, Any] = {"results": {}, "group_subtasks": {}, "configs": {}, "versions": {}, "n-shot": {}}
    found |= {"higher_is_better": {}, "n-samples": {}}
    for part in run.parts_of(adapter):
        for condition, answers in _by_condition(part).items():
            task = names[_task(part.task, condition)]
            numbers = [each for each in part.numbers if each.condition == condition]
            values: dict[str, Any] = {"alias": task}
            for each in numbers:
                metric, filtered = _split(each.name)
                values |= {f"{metric},{filtered}": each.value, f"{metric}_stderr,{filtered}": "N/A"}
            found["results"][task] = values
            found["group_subtasks"][task] = []
            found["configs"][task] = {"task": task, "metadata": _details(part, condition)}
            found["versions"][task] = part.entry.digest[:12]
            found["n-shot"][task] = manifest.config.num_fewshot or 0
            found["higher_is_better"][task] = {
                **{_split(name)[0]: higher for name, higher in part.entry.scores.items()},
                **{_split(each.name)[0]: each.higher_is_better for each in numbers},
            }
            found["n-samples"][task] = {"original": part.entry.samples, "effective": len(answers)}
    found["config"] = writable({"model": manifest.config.model, "model_args": f"{arguments},adapter={adapter}"})
    found["date"] = manifest.started
    found["model_name"] = writable(f"{run.base}+{adapter}")
    return found


def _details(part: Part, condition: str) -> dict[str, Any]:
    """Return what lm-eval has no field for: the condition, and the ends of the intervals."""
    intervals = {
        each.name: [each.low, each.high]
        for each in part.numbers
        if each.condition == condition and each.low is not None
    }
    return {"condition": condition, "adapter_digest": part.adapter.digest, "intervals_95": intervals}


def _by_condition(part: Part) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for answer in part.answers:
        found.setdefault(condition_of(answer), []).append(answer)
    return found


def _samples(part: Part, number: int, answer: Line) -> list[dict[str, Any]]:
    """Return a line for each filter of lm-eval that a score comes from; scores of ours come from none."""
    scores = answer["scores"]
    names = sorted(scores, key=lambda name: (name != part.entry.headline, name))  # readers take the first as the main
    document = {name: answer[name] for name in ("sample", "perturbation", "severity", "repeat", "edit_rate", "edits")}
    common = {
        "doc_id": number,
        "doc": {**document, "reason": answer["reason"]},
        "target": "",
        "arguments": {"gen_args_0": {"arg_0": answer["prompt"], "arg_1": {}}},
        "resps": [[answer["output"]]],
        "filtered_resps": [answer["output"]],
        "doc_hash": _hash(json.dumps(document, indent=2, ensure_ascii=False)),
        "prompt_hash": _hash(answer["prompt"]),
        "target_hash": _hash(""),
    }
    found = []
    for filtered in dict.fromkeys(_split(name)[1] for name in names):
        mine = {_split(name)[0]: scores[name] for name in names if _split(name)[1] == filtered}
        found.append({**common, "filter": filtered, "metrics": list(mine), **mine})
    return found


def _split(name: str) -> tuple[str, str]:
    """Return the metric and the filter of a score, as in `exact_match,strict-match`."""
    metric, _, filtered = name.partition(",")
    return metric, filtered or _FILTER


def _task(task: str, condition: str) -> str:
    """Return what a task under a condition is known by, which is no other's."""
    return f"{task}\0{'' if condition == CLEAN else condition}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
