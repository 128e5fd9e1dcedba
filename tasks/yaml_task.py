"""A task described in a few lines of YAML, in lm-eval's manner: which field is what, and how to ask."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.suggestions import did_you_mean
from holdfast.tasks.files import build_samples, read_objects
from holdfast.tasks.task import Task
from holdfast.tasks.templates import render
from holdfast.yaml_file import read_yaml

_KEYS = (
    "task",
    "dataset_path",
    "doc_to_id",
    "doc_to_content",
    "doc_to_text",
    "doc_to_target",
    "doc_to_choice",
    "metric_list",
    "generation_kwargs",
)
_GENERATION_KEYS = ("max_gen_toks", "until")
_FIELD = re.compile(r"[\w.-]+")


def read_yaml_task(path: Path) -> Task:
    """Read a YAML task.

    `dataset_path` is a JSONL file, relative to the YAML file. `doc_to_content` (the part that is perturbed),
    `doc_to_target` (references: text, or a list in one field) and `doc_to_id` are each a field's name or a Jinja2
    template over the fields; `doc_to_text` is the prompt around the content, which it may call `content` or by its
    field's name. Without `doc_to_id`, the field `id` or else the line number identifies a sample. `doc_to_choice` (a
    list, or a field that holds one) makes it multiple choice; then a whole number as target is a place in that list.

    Raises UserError, naming the file and the key, for anything missing, unknown or broken.
    """
    settings = _settings(path)
    where = str(path.parent / str(settings["dataset_path"]))
    samples = build_samples(_documents(path, settings), where, "doc_to_choice")
    judged = any(sample.references for sample in samples)
    generation = settings["generation_kwargs"]
    until = generation.get("until", ())
    return Task(
        name=str(settings["task"]),
        samples=samples,
        metrics=_metrics(path, settings.get("metric_list", ["exact_match" if judged else "answer_rate"])),
        prompt=_prompt(path, settings),
        max_new_tokens=generation.get("max_gen_toks", 64),
        stop=(until,) if isinstance(until, str) else tuple(until),
    )


def _settings(path: Path) -> dict[str, Any]:
    settings = read_yaml(path, "task file")
    _check_keys(path, settings, _KEYS)
    for key in ("task", "dataset_path", "doc_to_content"):
        if key not in settings:
            raise UserError(f"{path}: '{key}' is missing")
    generation = settings.setdefault("generation_kwargs", {})
    if not isinstance(generation, dict):
        raise UserError(f"{path}: 'generation_kwargs' must hold {' and '.join(_GENERATION_KEYS)}")
    _check_keys(path, generation, _GENERATION_KEYS)
    longest, until = generation.get("max_gen_toks", 64), generation.get("until", [])
    if not isinstance(longest, int) or longest < 1:
        raise UserError(f"{path}: 'max_gen_toks' must be a number of tokens, not {longest!r}")
    stops = [until] if isinstance(until, str) else until
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        raise UserError(f"{path}: 'until' must be a text or a list of texts that end an answer, not {until!r}")
    return settings


def _prompt(path: Path, settings: dict[str, Any]) -> str:
    """`doc_to_text` as a template over `content`, which it may call by its field's name too, or be that name."""
    field, prompt = str(settings["doc_to_content"]), str(settings.get("doc_to_text", "{{ content }}"))
    if prompt in {field, "content"}:
        return "{{ content }}"
    names = [name for name in (field, "content") if re.search(rf"{{[{{%][^}}]*\b{re.escape(name)}\b", prompt)]
    if not names:
        raise UserError(
            f"{path}: 'doc_to_text' does not use the content, so no perturbation could reach the model: put "
            "{{ content }} where it belongs"
        )
    return prompt if "content" in names else f"{{% set {field} = content %}}{prompt}"


def _documents(path: Path, settings: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The data's objects with `id`, `content` and `references` as the task maps them."""
    for number, fields in read_objects(path.parent / str(settings["dataset_path"])):
        where = f"{settings['dataset_path']}, line {number}"
        mapped = {key: value for key, value in fields.items() if key != settings["doc_to_content"]}
        mapped["content"] = _value(settings, "doc_to_content", fields, where)
        if "doc_to_target" in settings:
            mapped["references"] = _value(settings, "doc_to_target", fields, where)
        if "doc_to_choice" in settings:
            mapped["doc_to_choice"] = choices = _choices(path, settings["doc_to_choice"], fields, where)
            mapped["references"] = _chosen(mapped.get("references", ()), choices, where)
        if "doc_to_id" in settings:
            mapped["id"] = _value(settings, "doc_to_id", fields, where)
        yield number, {"id": number, **mapped}


def _value(settings: dict[str, Any], key: str, fields: dict[str, Any], where: str) -> Any:
    asked = str(settings[key])
    if asked in fields:
        return fields[asked]
    if _FIELD.fullmatch(asked):
        raise UserError(f"{where}: {key} names the field '{asked}', which is missing (it has {', '.join(fields)})")
    return render(asked, fields, f"{where}: {key}")


def _choices(path: Path, asked: Any, fields: dict[str, Any], where: str) -> list[Any]:
    """The list itself, or that of the field which is named, plainly or as `{{ field }}`."""
    if isinstance(asked, str):
        asked = fields.get(asked.strip("{} "), asked)
    if not isinstance(asked, list):
        raise UserError(
            f"{path}: 'doc_to_choice' must be a list, or name a field that holds one, not {asked!r} ({where})"
        )
    return asked


def _chosen(target: Any, choices: list[Any], where: str) -> Any:
    """The target itself, or the choice at this place, as lm-eval counts them: from 0."""
    if target in choices or not str(target).isdecimal():
        return target
    if int(target) >= len(choices):
        raise UserError(f"{where}: doc_to_target is {target}, but the choices have the places 0 to {len(choices) - 1}")
    return choices[int(target)]


def _metrics(path: Path, listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list):
        listed = [listed]
    names = [str((entry.get("metric") if isinstance(entry, dict) else entry) or "") for entry in listed]
    if not all(names):
        raise UserError(
            f"{path}: 'metric_list' must be a list of metrics, such as [exact_match, rouge], not {json.dumps(listed)}"
        )
    return tuple(names)


def _check_keys(path: Path, settings: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in settings:
        if key not in known:
            raise UserError(f"{path}: unknown key '{key}'{did_you_mean(key, known)}")
