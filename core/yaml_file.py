"""Reading a YAML file of settings, with errors that name it."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.reading import read_text

_BOOL = "tag:yaml.org,2002:bool"
_LARGEST = 2**19
"""Bytes of the largest file that is read: parsing takes seconds for each megabyte."""

_MOST_VALUES = 100_000
"""Values that a file may hold, those repeated by aliases counted each time: nested aliases can make billions."""


def read_yaml(path: Path, what: str, *, yes_is_text: bool = False) -> dict[str, Any]:
    """Return the settings in a YAML file.

    Args:
        path: The file.
        what: What the file is, for messages, as in "configuration file".
        yes_is_text: Whether yes, no, on and off are text, as in YAML 1.2, and not truth values.

    Raises:
        UserError: If the file is missing, unreadable, invalid or does not hold a mapping.
    """
    import yaml

    text = read_text(path, what, limit=_LARGEST)
    where = f"{what} '{path}'"
    try:
        settings = yaml.load(text, _words_loader() if yes_is_text else _loader())
    except yaml.YAMLError as error:
        raise UserError(f"{where} is not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise UserError(f"{where} is not valid YAML: nested too deeply") from None
    except Exception as error:  # PyYAML's constructors raise what their parsers of dates, numbers, ... do
        raise UserError(f"{where} is not valid YAML: a value doesn't fit its type ({error})") from None
    if not isinstance(settings, dict):
        raise UserError(f"{where} must hold settings as 'name: value' lines")
    if odd := [name for name in settings if not isinstance(name, str)]:
        raise UserError(f"{where}: the name of a setting must be text, got {odd[0]!r}")
    _check_values(settings, where)
    return settings


def _check_values(settings: dict[str, Any], where: str) -> None:
    """Raise UserError for a value that contains itself, too many values, or a NUL, which no path or text may hold."""
    sizes: dict[int, int] = {}
    open_ones: set[int] = set()

    def size_of(value: Any) -> int:
        if isinstance(value, str) and "\0" in value:
            raise UserError(f"{where}: {value[:40]!r} contains NUL, which no setting can")
        if not isinstance(value, (dict, list, tuple, set)):
            return 1
        if id(value) in open_ones:
            raise UserError(f"{where}: a value contains itself (through an alias)")
        if id(value) not in sizes:
            open_ones.add(id(value))
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            sizes[id(value)] = 1 + sum(map(size_of, parts))
            open_ones.discard(id(value))
        return sizes[id(value)]

    try:
        if size_of(settings) > _MOST_VALUES:
            raise UserError(f"{where}: its aliases expand to more than {_MOST_VALUES} values")
    except RecursionError:
        raise UserError(f"{where} is not valid YAML: nested too deeply") from None


def _check_names(node: Any) -> None:
    """Raise YAMLError if a mapping has a name twice, of which the last would count."""
    import yaml

    seen = set()
    for name, _ in node.value:
        if (name.tag, str(name.value)) in seen and isinstance(name, yaml.ScalarNode):
            raise yaml.YAMLError(f"line {name.start_mark.line + 1}: '{name.value[:60]}' is given twice; leave one out")
        seen.add((name.tag, str(name.value)))


@cache
def _loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """Refuses names that are given twice, and merge keys that multiply."""

        def __init__(self, stream: Any) -> None:
            super().__init__(stream)
            self._flattened: set[int] = set()

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            if id(node) not in self._flattened:  # afterwards, it holds what it merges too
                self._flattened.add(id(node))
                _check_names(node)
            super().flatten_mapping(node)
            if len(node.value) > _MOST_VALUES:
                raise yaml.YAMLError(f"its merge keys expand to more than {_MOST_VALUES} values")

    return Loader


@cache
def _words_loader() -> Any:
    class WordsLoader(_loader()):  # type: ignore[misc]
        """Reads only true and false as truth values."""

    kept = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
        for first, resolvers in WordsLoader.yaml_implicit_resolvers.items()
    }
    WordsLoader.yaml_implicit_resolvers = kept
    WordsLoader.add_implicit_resolver(_BOOL, re.compile("(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
    return WordsLoader
