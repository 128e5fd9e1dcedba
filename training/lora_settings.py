"""The settings of --lora: peft's LoraConfig with short names, and checks that need no heavy import."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from holdfast.errors import UserError
from holdfast.suggestions import did_you_mean
from holdfast.training.arguments import parse_number
from holdfast.training.library_fields import LibraryField, lora_config

_SHORT: Mapping[str, str] = {
    "alpha": "lora_alpha",
    "targets": "target_modules",
    "dropout": "lora_dropout",
    "rslora": "use_rslora",
    "dora": "use_dora",
    "init": "init_lora_weights",
}
LORA_PLUS = "loraplus_lr_ratio"
"""peft's name for the setting of LoRA+; it acts on the optimizer, not on the adapter."""

MODULE_LISTS = ("target_modules", "modules_to_save", "exclude_modules")
"""Settings that name modules of the model."""

_UNPREPARED = ("eva", "corda", "lora_ga", "loftq")
"""Initialisations from activations, gradients or a quantised base, which have to be prepared before training."""

_SET_HERE = (
    *("task_type", "peft_type", "peft_version", "auto_mapping"),
    *("base_model_name_or_path", "revision", "inference_mode"),
)

_UNUSABLE: Mapping[str, str] = {
    "layer_replication": "run and inspect can't use an adapter on replicated layers, which its base doesn't have",
}
"""Settings that make an adapter that nothing here can use."""

Rule = tuple[str, Callable[[float], bool]]
_WHOLE: Rule = ("a whole number >= 1", lambda value: value >= 1 and value == int(value))
_POSITIVE: Rule = ("a number > 0", lambda value: value > 0)
_NUMBERS: Mapping[str, Rule] = {
    "r": _WHOLE,
    "lora_alpha": _POSITIVE,
    LORA_PLUS: _POSITIVE,
    "lora_dropout": ("a number >= 0 and < 1", lambda value: 0 <= value < 1),
    "qalora_group_size": _WHOLE,
}
_PATTERNS: Mapping[str, Rule] = {"rank_pattern": _WHOLE, "alpha_pattern": _POSITIVE}
"""What the values within these settings must be."""


def parse_lora(text: str) -> dict[str, Any]:
    """Parse --lora: `name=value` pairs separated by commas, or all of them in braces, as in YAML and JSON.

    Raises:
        UserError: If a part is not of the form name=value, or a value in brackets can't be read.

    >>> parse_lora("r=8,targets=q_proj+v_proj,rank_pattern={q_proj: 4, v_proj: 2}")
    {'r': 8, 'targets': 'q_proj+v_proj', 'rank_pattern': {'q_proj': 4, 'v_proj': 2}}
    """
    if text.lstrip().startswith("{"):
        return dict(_parse_value(text.strip()))
    pairs: dict[str, Any] = {}
    for part in filter(None, map(str.strip, _split_outside_brackets(text))):
        name, equals, value = part.partition("=")
        if not equals:
            raise UserError(f"--lora: expected name=value, got '{part}'")
        if name.strip() in pairs:
            raise UserError(f"--lora: {name.strip()} is given twice: leave one out")
        pairs[name.strip()] = _parse_value(value.strip())
    return pairs


def _split_outside_brackets(text: str) -> list[str]:
    """Split at the commas that are not within brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "{[") - (letter in "}]")
        if letter == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _parse_value(text: str) -> Any:
    """Read a value as YAML does; what isn't YAML, such as a pattern, is a text."""
    import yaml

    try:
        _check_names(yaml.compose(text, yaml.SafeLoader))
        return yaml.safe_load(text)
    except UserError:
        raise
    except (yaml.YAMLError, ValueError):
        if not text.startswith(("{", "[")):
            return text
        raise UserError(f"--lora: can't read '{text}': write [a, b] for a list and {{a: 1, b: 2}} for pairs") from None


def _check_names(node: Any) -> None:
    """Raise UserError if a YAML node holds a name twice: YAML would take the last value."""
    if node is None or isinstance(node.value, str):
        return
    pairs = node.value and isinstance(node.value[0], tuple)
    names = [name.value for name, _ in node.value] if pairs else []
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"--lora: {name} is given twice: leave one out")
    for each in node.value:
        _check_names(each[1] if pairs else each)


def check_lora(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, under the names they were given, with numbers and lists in place of their spellings.

    Args:
        given: Fields of LoraConfig, short names for some of them, and `loraplus_lr_ratio`. A list may be written a+b.

    Raises:
        UserError: If a setting is unknown, given twice or has a wrong value.
    """
    known = lora_config()
    found: dict[str, Any] = {}
    names = [_SHORT.get(name, name) for name in given]
    for name, value in given.items():
        full = _SHORT.get(name, name)
        if full in _SET_HERE:
            raise UserError(f"--lora: {name} can't be set: holdfast train sets it from the model and the data")
        if value and full in _UNUSABLE:
            raise UserError(f"--lora: {name} can't be set: {_UNUSABLE[full]}")
        if full not in known and full != LORA_PLUS:
            hint = did_you_mean(name, [*_SHORT, LORA_PLUS, *known])
            raise UserError(f"--lora: unknown setting '{name}', not a field of peft's LoraConfig{hint}")
        if names.count(full) > 1:
            raise UserError(f"--lora: {full} is given twice, also as {name}: leave one out")
        if full in _NUMBERS:
            found[name] = _checked_number(name, value, *_NUMBERS[full])
        elif full in _PATTERNS and isinstance(value, Mapping):
            rule = _PATTERNS[full]
            found[name] = {key: _checked_number(f"{name}: {key}", each, *rule) for key, each in value.items()}
        else:
            found[name] = _checked(name, value, known[full])
    return found


def peft_settings(lora: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked settings under LoraConfig's names, as its arguments."""
    return {_SHORT.get(name, name): value for name, value in lora.items() if name != LORA_PLUS}


def _checked_number(name: str, value: Any, rule: str, is_valid: Callable[[float], bool]) -> int | float:
    try:
        number = parse_number(name, value)
    except UserError:
        number = float("nan")
    if not is_valid(number):
        raise UserError(f"--lora: {name} must be {rule}, got {value!r}")
    return int(number) if number == int(number) else number


def _checked(name: str, value: Any, field: LibraryField) -> Any:
    """Check a value against the types in the field's annotation, so far as they can be told without peft."""
    kind, wrong = field.annotation, ""
    if value is None:
        return None
    if _SHORT.get(name, name) == "init_lora_weights" and str(value).lower() in _UNPREPARED:
        wrong = f"one that needs no preparation, not {value}: gaussian, pissa, olora, orthogonal, true or false"
    elif isinstance(value, Mapping):
        wrong = "" if "dict" in kind or "Config" in kind else _describe(kind)
    elif "list[" in kind and not (isinstance(value, str) and re.search(r"[*()\[\]|\\^$?]|all-linear", value)):
        items = value.replace("+", " ").split() if isinstance(value, str) else value
        items = list(items) if isinstance(items, (list, tuple)) else [items]
        if "tuple" in kind:
            return items
        if "list[int]" in kind:
            items = [int(item) if str(item).isdecimal() else item for item in items]
        wanted = int if "list[int]" in kind else str
        wrong = "" if all(type(item) is wanted for item in items) else _describe(kind)
        value = items
    elif field.choices:
        wrong = "" if value in field.choices else " or ".join(field.choices)
    elif kind == "bool" and not isinstance(value, bool):
        wrong = "true or false"
    elif kind in ("int", "float"):
        value = parse_number(f"--lora: {name}", value)
    elif "dict" in kind or "Config" in kind:
        wrong = _describe(kind)
    if wrong:
        raise UserError(f"--lora: {name} must be {wrong}, got {value!r}")
    return value


def _describe(kind: str) -> str:
    """Return what a field takes, in words."""
    if "list[int]" in kind:
        return "whole numbers, as in 0+1 or [0, 1]"
    if "list[str]" in kind:
        return "names, as in q_proj+v_proj or [q_proj, v_proj]"
    return "settings in braces, as in {q_proj: 4}" if "dict" in kind or "Config" in kind else "a single value"
