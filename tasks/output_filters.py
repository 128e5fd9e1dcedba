"""What is done to an answer before it is compared with references: the steps of lm-eval's filters."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from holdfast.errors import UserError
from holdfast.limits import time_limit
from holdfast.suggestions import did_you_mean

_SECONDS = 10.0
"""The most time that a pattern gets for one answer."""

_DEFAULT_PATTERN, _INVALID = r"#### (\-?[0-9\.\,]+)", "[invalid]"


@dataclass(frozen=True, slots=True)
class OutputFilter:
    """One step of a filter, by lm-eval's name, with its settings.

    Attributes:
        function: `regex` (settings `regex_pattern`, `group_select`, `fallback`), `lowercase`, `uppercase`,
            `remove_whitespace`, `map` (`mapping_dict`, `default_value`) or `take_first`.
        settings: Its settings.
    """

    function: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, output: str) -> str:
        """Return the answer as it is compared; raise UserError if a pattern takes too long.

        >>> OutputFilter("regex", {"regex_pattern": r"answer is (\\w+)"}).apply("So the answer is 12, I think.")
        '12'
        """
        return _FUNCTIONS[self.function](output, self.settings)


def make_filter(step: Any, where: str) -> OutputFilter:
    """Return the filter that a step of `filter_list` describes; raise UserError if a name or a setting is wrong."""
    if not isinstance(step, Mapping) or not isinstance(step.get("function"), str):
        raise UserError(f"{where}: each step of a filter needs a 'function', got {step!r}")
    function = step["function"]
    settings = {name: value for name, value in step.items() if name != "function"}
    if function not in _SETTINGS:
        raise UserError(
            f"{where}: the filter function '{function}' is not supported{did_you_mean(function, _SETTINGS)}"
        )
    for name in settings:
        if name not in _SETTINGS[function]:
            raise UserError(f"{where}: the filter function '{function}' has no '{name}'")
    if function == "regex":
        try:
            re.compile(settings.get("regex_pattern", _DEFAULT_PATTERN))
        except (re.error, TypeError, RecursionError) as error:
            raise UserError(f"{where}: invalid regex_pattern: {error}") from None
        if type(settings.get("group_select", 0)) is not int:
            raise UserError(f"{where}: group_select must be an integer, got {settings['group_select']!r}")
    if function == "map" and not isinstance(settings.get("mapping_dict"), Mapping):
        raise UserError(f"{where}: the filter function 'map' needs a mapping_dict")
    return OutputFilter(function, settings)


def _regex(output: str, settings: Mapping[str, Any]) -> str:
    """Return the match that is asked for: of several groups, the first that is not empty."""
    fallback = str(settings.get("fallback", _INVALID))
    with time_limit(_SECONDS, "filter_list: regex_pattern"):
        found = _compiled(settings.get("regex_pattern", _DEFAULT_PATTERN)).findall(output)
    place = settings.get("group_select", 0)
    if not -len(found) <= place < len(found):
        return fallback
    match = found[place]
    if isinstance(match, tuple):
        match = next(filter(None, match), "")
    return match.strip() or fallback


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _map(output: str, settings: Mapping[str, Any]) -> str:
    return str(settings["mapping_dict"].get(output, settings.get("default_value", output)))


_FUNCTIONS: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    "regex": _regex,
    "map": _map,
    "lowercase": lambda output, _: output.lower(),
    "uppercase": lambda output, _: output.upper(),
    "remove_whitespace": lambda output, _: output.lstrip(),
    "take_first": lambda output, _: output,  # there is one answer to each prompt
}
_SETTINGS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_FUNCTIONS, ()),
    "regex": ("regex_pattern", "group_select", "fallback"),
    "map": ("mapping_dict", "default_value"),
}
