"""Answers that lm-eval logged with --log_samples: the files samples_TASK_TIME.jsonl."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.results.check.answers import Answers, TaskAnswers
from holdfast.harness.store.records import CLEAN
from holdfast.reading import parse_json, read_bytes

_NAME = re.compile(r"samples_(?P<task>.+?)(?:_\d{4}-\d\d-\d\dT[\d.-]+)?\.jsonl")
_LOWER_IS_BETTER = frozenset(
    {
        *("word_perplexity", "byte_perplexity", "bits_per_byte", "perplexity", "brier_score", "ter"),
        *("wer", "cer", "mer", "mae", "mse", "rmse", "loss", "nll"),
    }
)
"""lm-eval's metrics of which less is better."""


def samples_files(path: Path) -> list[Path]:
    """Return the files of samples that a path names: itself, or those in a directory."""
    if path.is_dir():
        return sorted(file for file in path.rglob("samples_*.jsonl") if _NAME.fullmatch(file.name))
    return [path] if path.is_file() and path.suffix == ".jsonl" else []


def read_lm_eval(path: Path) -> Answers:
    """Read the samples that lm-eval logged for one model.

    A metric is called as in lm-eval's results: `acc`, or `exact_match,strict-match` where a task has several filters.
    The first metric of a task stands for it (`clean`). Whether more is better is read from results_*.json beside the
    samples; without it, more is better except for perplexities, error rates and losses.

    Args:
        path: A samples_*.jsonl, or a directory with one for each task.

    Raises:
        UserError: If a line isn't a logged sample, or a task was logged more than once.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    lines: dict[str, dict[str, Any]] = {}
    tasks: dict[str, TaskAnswers] = {}
    for file in samples_files(path):
        name = _NAME.fullmatch(file.name)
        task = name["task"] if name else file.stem
        if task in tasks:
            raise UserError(f"{path} has the task '{task}' more than once: name one of its files")
        documents = _documents(file)
        names = list(dict.fromkeys(key for document in documents.values() for key in document["scores"]))
        if not names:
            raise UserError(f"{file} has no score of single samples: run lm-eval with a metric that gives one")
        known = _directions(file.parent, task)
        directions = {key: known.get(metric, metric not in _LOWER_IS_BETTER) for key, metric in map(_split, names)}
        tasks[task] = TaskAnswers(names[0], {"clean": directions[names[0]], **directions})
        for sample, document in documents.items():
            key = f"{task}/{sample}"
            lines[key] = {"prompt": document["prompt"], "output": document["output"], "reason": "", "run": ""}
            rows.append(
                {"task": task, "sample": sample, "perturbation": CLEAN, "severity": "", "repeat": 0, "key": key}
                | {"prompt": hash((document["prompt"], document["target"])), "output": hash(document["output"])}
                | {
                    "reason": "",
                    "groups": (),
                    "item": "",
                    "score": document["scores"].get(names[0], float("nan")),
                    "broke": float("nan"),
                }
                | document["scores"]
            )
    table = pd.DataFrame(rows)
    prompts = {(row["task"], row["sample"]): lines[row["key"]]["prompt"] for row in rows}
    return Answers(
        name=path.stem,
        source=str(path),
        digest="",
        texts=lambda keys: {key: lines[key] for key in keys},
        prompts=prompts,
        table=table,
        tasks=tasks,
        warnings=(),
        conditions={},
    )


def _split(name: str) -> tuple[str, str]:
    """Return a name with its metric, without the filter."""
    return name, name.partition(",")[0]


def _directions(folder: Path, task: str) -> dict[str, bool]:
    """Return which metrics of a task are better high, as the newest results in the directory say."""
    for file in sorted(folder.glob("results_*.json"), reverse=True):
        content = parse_json(read_bytes(file), str(file))
        found = content.get("higher_is_better") if isinstance(content, dict) else None
        if isinstance(found, dict) and isinstance(found.get(task), dict):
            return {str(name): up for name, up in found[task].items() if isinstance(up, bool)}
    return {}


def _documents(file: Path) -> dict[str, dict[str, Any]]:
    """Return the logged documents by their number: prompt, output, target and scores."""
    found: dict[str, dict[str, Any]] = {}
    several = len({line.get("filter", "none") for _, line in _lines(file)}) > 1
    for where, line in _lines(file):
        names = [name for name in line["metrics"] if isinstance(line.get(name), (bool, int, float))]
        end = f",{line.get('filter')}" if several else ""
        scores = {f"{name}{end}": float(line[name]) for name in names}
        sample = str(line["doc_id"])
        document = found.setdefault(
            sample, {"prompt": _prompt(line), "output": _output(line), "target": str(line.get("target")), "scores": {}}
        )
        if document["scores"].keys() & scores.keys():
            raise UserError(f"{where}: document {sample} appears twice: log each run to a directory of its own")
        document["scores"] |= scores
    if not found:
        raise UserError(f"{file} is empty: run lm-eval with --log_samples")
    return found


def _lines(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, text in enumerate(read_bytes(file).splitlines(), 1):
        where = f"{file}, line {number}"
        line = parse_json(text, where)
        if not isinstance(line, dict) or "doc_id" not in line or not isinstance(line.get("metrics"), list):
            raise UserError(f"{where} is not a sample that lm-eval logged: it has no doc_id and metrics")
        yield where, line


def _prompt(line: Mapping[str, Any]) -> str:
    """Return what the model was asked: lm-eval has written the arguments as a list and as nested objects."""
    arguments = line.get("arguments")
    while isinstance(arguments, (list, dict)) and arguments:
        arguments = next(iter(arguments.values())) if isinstance(arguments, dict) else arguments[0]
    return arguments if isinstance(arguments, str) else str(line.get("prompt_hash", ""))


def _output(line: Mapping[str, Any]) -> str:
    output = line.get("filtered_resps", line.get("resps"))
    while isinstance(output, list) and len(output) == 1:
        output = output[0]
    return str(output)
