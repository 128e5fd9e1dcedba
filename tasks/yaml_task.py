"""Tasks described by a YAML file in the style of lm-eval, which maps data fields to the task."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.suggestions import did_you_mean
from holdfast.tasks.files import build_samples, read_objects
from holdfast.tasks.sample import GROUP, ITEM
from holdfast.tasks.task import Task
from holdfast.tasks.templates import evaluate, render
from holdfast.yaml_file import read_yaml

_KEYS = (
    "task",
    "dataset_path",
    "doc_to_id",
    "doc_to_content",
    "doc_to_text",
    "doc_to_target",
    "doc_to_choice",
    "doc_to_group",
    "doc_to_item",
    "metric_list",
    "generation_kwargs",
)
_GENERATION_KEYS = ("max_gen_toks", "until")
_LONGEST_PLACE = 10
"""Digits; Python reads no number of thousands of them."""

_FIELD = re.compile(r"[\w.-]+")


def read_yaml_task(path: Path) -> Task:
    """Read a YAML task.

    Keys:

        task               name of the task
        dataset_path       JSONL file, relative to the YAML file
        doc_to_content     the content, which is perturbed: a field name or a Jinja2 template over the fields
        doc_to_target      references: a field name (text or a list) or a template, which may yield a list, too; with
                           doc_to_choice, a whole number is a place in the choices, counted from 0, as in lm-eval
        doc_to_id          sample id: a field name or a template; default: the field `id`, else the line number
        doc_to_text        the prompt: a template over the fields, with the content as `content` or under its field name
        doc_to_choice      makes the task multiple choice: a list, the name of a field that contains one, or a template
                           that yields one
        doc_to_group       groups that get rows of their own in the results: a field name, a template, a list of field
                           names or an object of both, as in {language: lang}; default: the field `group`
        doc_to_item        what the sample is one form of: a field name or a template; default: the field `item`
        metric_list        names of metrics
        generation_kwargs  max_gen_toks and until

    Raises:
        UserError: If anything is missing, unknown or invalid; the message names the file and the key.
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
    settings = read_yaml(path, "task file", yes_is_text=True)
    _check_keys(path, settings, _KEYS)
    for key in ("task", "dataset_path", "doc_to_content"):
        if key not in settings:
            raise UserError(f"{path}: '{key}' is missing")
    generation = settings.setdefault("generation_kwargs", {})
    if not isinstance(generation, dict):
        raise UserError(f"{path}: 'generation_kwargs' must be a mapping with {' and '.join(_GENERATION_KEYS)}")
    _check_keys(path, generation, _GENERATION_KEYS)
    longest, until = generation.get("max_gen_toks", 64), generation.get("until", [])
    if not isinstance(longest, int) or longest < 1:
        raise UserError(f"{path}: 'max_gen_toks' must be an integer >= 1, got {longest!r}")
    stops = [until] if isinstance(until, str) else until
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        raise UserError(f"{path}: 'until' must be a non-empty string or a list of them, got {until!r}")
    return settings


def _prompt(path: Path, settings: dict[str, Any]) -> str:
    """Return `doc_to_text` as a template over `content`; it may use the content's field name, or be just that name."""
    field, prompt = str(settings["doc_to_content"]), str(settings.get("doc_to_text", "{{ content }}"))
    if prompt in {field, "content"}:
        return "{{ content }}"
    names = [name for name in (field, "content") if re.search(rf"{{[{{%][^}}]*\b{re.escape(name)}\b", prompt)]
    if not names:
        raise UserError(
            f"{path}: 'doc_to_text' doesn't contain the content, so perturbations would have no effect; add "
            "{{ content }}"
        )
    return prompt if "content" in names else f"{{% set {field} = content %}}{prompt}"


def _documents(path: Path, settings: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the data's objects with the fields `id`, `content` and `references` as mapped by the task."""
    for number, fields in read_objects(path.parent / str(settings["dataset_path"])):
        where = f"{settings['dataset_path']}, line {number}"
        mapped = {key: value for key, value in fields.items() if key != settings["doc_to_content"]}
        mapped["content"] = _value(settings["doc_to_content"], "doc_to_content", fields, where)
        if "doc_to_target" in settings:
            mapped["references"] = _target(settings, fields, where)
        if "doc_to_choice" in settings:
            mapped["doc_to_choice"] = choices = _choices(path, settings["doc_to_choice"], fields, where)
            mapped["references"] = _chosen(mapped.get("references", ()), choices, where)
        if "doc_to_group" in settings:
            mapped[GROUP] = _groups(settings["doc_to_group"], fields, where)
        for key, name in (("doc_to_id", "id"), ("doc_to_item", ITEM)):
            if key in settings:
                mapped[name] = _value(settings[key], key, fields, where)
        yield number, {"id": number, **mapped}


def _groups(asked: Any, fields: dict[str, Any], where: str) -> Any:
    """Return the groups that are asked for; a single field or template is a plain group."""
    if isinstance(asked, (list, tuple)):
        asked = {str(name): name for name in asked}
    if isinstance(asked, dict):
        return {grouping: _value(each, "doc_to_group", fields, where) for grouping, each in asked.items()}
    return _value(asked, "doc_to_group", fields, where)


def _value(asked: Any, key: str, fields: dict[str, Any], where: str) -> Any:
    asked = str(asked)
    if _is_field(asked, key, fields, where):
        return fields[asked]
    return render(asked, fields, f"{where}: {key}")


def _target(settings: dict[str, Any], fields: dict[str, Any], where: str) -> Any:
    asked = settings["doc_to_target"]
    if not isinstance(asked, str):
        return asked
    if _is_field(asked, "doc_to_target", fields, where):
        return fields[asked]
    found = evaluate(asked, fields, f"{where}: doc_to_target")
    is_place = "doc_to_choice" in settings and isinstance(found, str) and _is_place(found)
    return int(found) if is_place else found


def _is_field(asked: str, key: str, fields: dict[str, Any], where: str) -> bool:
    """Return whether a field is asked for; raise UserError if it looks like one that the line doesn't have."""
    if asked not in fields and _FIELD.fullmatch(asked):
        raise UserError(f"{where}: {key}: missing field '{asked}'; the line has {', '.join(fields)}")
    return asked in fields


def _choices(path: Path, asked: Any, fields: dict[str, Any], where: str) -> list[Any]:
    """Return the list itself, that in the named field, or that which the template yields."""
    found = asked
    if isinstance(asked, str):
        found = fields[asked] if asked in fields else evaluate(asked, fields, f"{where}: doc_to_choice")
    if isinstance(found, dict):
        found = list(found.values())
    if not isinstance(found, list):
        raise UserError(
            f"{path}: 'doc_to_choice' must be a list or the name of a field with a list, got {found!r} ({where})"
        )
    return found


def _chosen(target: Any, choices: list[Any], where: str) -> Any:
    """Return the choices at the places that the target names, counted from 0 as in lm-eval; other targets as they are.

    A whole number is always a place, also where the choices are numbers. A truth value, or a number as text, is a place
    only if it is not itself a choice.
    """
    if isinstance(target, (list, tuple)):
        return [_chosen(each, choices, where) for each in target]
    texts = [str(choice).lower() for choice in choices]
    is_number = isinstance(target, int) and not isinstance(target, bool)
    if not is_number and str(target).lower() in texts:
        return target
    if isinstance(target, int) or (isinstance(target, str) and _is_place(target)):
        if not 0 <= int(target) < len(choices):
            raise UserError(f"{where}: doc_to_target is {target}; expected an index from 0 to {len(choices) - 1}")
        return choices[int(target)]
    return target


def _is_place(text: str) -> bool:
    """Whether a text is a whole number that can be a place in a list."""
    return text.isdecimal() and len(text) < _LONGEST_PLACE


def _metrics(path: Path, listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list):
        listed = [listed]
    names = [str((entry.get("metric") if isinstance(entry, dict) else entry) or "") for entry in listed]
    if not all(names):
        raise UserError(
            f"{path}: 'metric_list' must be a list of metrics, such as [exact_match, rouge], got {json.dumps(listed)}"
        )
    return tuple(names)


def _check_keys(path: Path, settings: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in settings:
        if key not in known:
            raise UserError(f"{path}: unknown key '{key}'{did_you_mean(key, known)}")
