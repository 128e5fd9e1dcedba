"""Maps the fields of a row to those of a sample, as a YAML task says: by field name or by template."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.sample import GROUP, ITEM
from holdfast.tasks.templates import evaluate, render

_LONGEST_PLACE = 10
"""Digits; Python reads no number of thousands of them."""

_FIELD = re.compile(r"[\w.-]+")


class RowMapping:
    """What the `doc_to_...` keys of a task file make of a row.

    Args:
        path: The task file, for error messages.
        settings: Its keys.
    """

    choices_in = "doc_to_choice"
    """The mapped field with the choices."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._path, self._settings = path, settings
        self._generates = settings.get("output_type") == "generate_until"

    @property
    def called(self) -> dict[str, str]:
        """What messages call the fields that the keys make: the field that a key names, or the key of a template."""
        content = "doc_to_content" if "doc_to_content" in self._settings else "doc_to_text"
        keys = {"content": content, "references": "doc_to_target", "id": "doc_to_id"}
        asked = {ours: (key, str(self._settings[key])) for ours, key in keys.items() if key in self._settings}
        return {ours: value if _FIELD.fullmatch(value) else key for ours, (key, value) in asked.items()}

    def map(self, fields: Fields, where: str) -> Fields:
        """Return the fields of a row with `content` and, where they are mapped, `references`, choices, id and group.

        Raises:
            UserError: If a field is missing, or a template fails.
        """
        settings = self._settings
        content = "doc_to_content" if "doc_to_content" in settings else "doc_to_text"
        made = {key: value for key, value in fields.items() if key != settings[content]}
        made["content"] = _value(settings[content], content, fields, where)
        if "doc_to_target" in settings:
            made["references"] = self._target(fields, where)
        if "doc_to_choice" in settings:
            choices = self._choices(fields, where)
            made["references"] = _chosen(made.get("references", ()), choices, where)
            if not self._generates:
                made[self.choices_in] = choices
        if "doc_to_group" in settings:
            made[GROUP] = _groups(settings["doc_to_group"], fields, where)
        for key, name in (("doc_to_id", "id"), ("doc_to_item", ITEM)):
            if key in settings:
                made[name] = _value(settings[key], key, fields, where)
        return made

    def question(self, fields: Fields) -> str:
        """Return the prompt of an example."""
        settings, where = self._settings, f"{self._path}: example"
        if "doc_to_content" not in settings:
            return str(_value(settings["doc_to_text"], "doc_to_text", fields, where))
        content = str(_value(settings["doc_to_content"], "doc_to_content", fields, where))
        asked = str(settings.get("doc_to_text", "content"))
        if asked in {"content", str(settings["doc_to_content"])}:
            return content
        return render(asked, {**fields, "content": content}, f"{where}: doc_to_text")

    def answer(self, fields: Fields) -> str:
        """Return the answer of an example: its first reference."""
        where = f"{self._path}: example"
        if "doc_to_target" not in self._settings:
            raise UserError(f"{self._path}: 'num_fewshot' needs 'doc_to_target', for the answers of the examples")
        target = self._target(fields, where)
        if "doc_to_choice" in self._settings:
            target = _chosen(target, self._choices(fields, where), where)
        return str(target[0] if isinstance(target, (list, tuple)) else target)

    def text(self, template: str, fields: Fields, key: str) -> str:
        """Return a template filled in with the fields of a row."""
        return render(template, fields, f"{self._path}: {key}") if template else ""

    def _target(self, fields: Fields, where: str) -> Any:
        asked = self._settings["doc_to_target"]
        if not isinstance(asked, str):
            return asked
        if _is_field(asked, "doc_to_target", fields, where):
            return fields[asked]
        found = evaluate(asked, fields, f"{where}: doc_to_target")
        is_place = "doc_to_choice" in self._settings and isinstance(found, str) and _is_place(found)
        return int(found) if is_place else found

    def _choices(self, fields: Fields, where: str) -> list[Any]:
        """Return the list itself, that in the named field, or that which the template yields."""
        asked = found = self._settings["doc_to_choice"]
        if isinstance(asked, str):
            found = fields[asked] if asked in fields else evaluate(asked, fields, f"{where}: doc_to_choice")
        if isinstance(found, dict):
            found = list(found.values())
        if not isinstance(found, list):
            raise UserError(
                f"{self._path}: 'doc_to_choice' must be a list or the name of a field with a list, got {found!r} "
                f"({where})"
            )
        return found


def _groups(asked: Any, fields: Fields, where: str) -> Any:
    """Return the groups that are asked for; a single field or template is a plain group."""
    if isinstance(asked, (list, tuple)):
        asked = {str(name): name for name in asked}
    if isinstance(asked, dict):
        return {grouping: _value(each, "doc_to_group", fields, where) for grouping, each in asked.items()}
    return _value(asked, "doc_to_group", fields, where)


def _value(asked: Any, key: str, fields: Fields, where: str) -> Any:
    asked = str(asked)
    if _is_field(asked, key, fields, where):
        return fields[asked]
    return render(asked, fields, f"{where}: {key}")


def _is_field(asked: str, key: str, fields: Fields, where: str) -> bool:
    """Return whether a field is asked for; raise UserError if it looks like one that the row doesn't have."""
    if asked not in fields and _FIELD.fullmatch(asked):
        raise UserError(f"{where}: {key}: missing field '{asked}'; the line has {', '.join(fields)}")
    return asked in fields


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
