"""Methods: their type, their registry, the decorator that registers them and the check of their settings."""

import dataclasses
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from holdfast.errors import UserError
from holdfast.registry import Registry
from holdfast.suggestions import did_you_mean

Place = Literal["loss", "weights", "adapter"]
PLACES: Mapping[Place, str] = {"loss": "objective", "weights": "noise", "adapter": "correction"}
"""The places where methods act, and the word for a method that acts there."""


@dataclass(frozen=True)
class NoSettings:
    """The settings of a method that has none."""


@dataclass(frozen=True, slots=True)
class Method:
    """A registered method: where it acts, what builds it, and the dataclass of its settings.

    `build(settings, context)` returns an object of the type that the place requires (see `method`). `perturbs` marks
    objectives that also use perturbed prompts; `classifies` is False for objectives that need generated text;
    `reads_gradients` marks noises that need the gradients of whole parameters, which DeepSpeed keeps to itself.
    `measured` says what the method was seen to do, on which model and with how much power; "" if nothing was.
    """

    name: str
    place: Place
    build: Callable[..., Any]
    settings: type[Any] = NoSettings
    perturbs: bool = False
    classifies: bool = True
    reads_gradients: bool = False
    measured: str = ""

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (inspect.getdoc(self.build) or "").split("\n")[0]

    def describe_settings(self) -> Iterator[tuple[str, Any, str]]:
        """Yield name, default and help text of each setting; the text ends with the values allowed."""
        types = get_type_hints(self.settings)
        for field in dataclasses.fields(self.settings):
            text, allowed = field.metadata.get("help", ""), _allowed(types[field.name], field.metadata)
            yield field.name, field.default, f"{text} ({allowed})" if text else ""

    def parse_settings(self, given: Mapping[str, Any], prefix: str = "") -> Any:
        """Check values against the settings' types and ranges.

        Args:
            given: Values by setting name; missing ones take their defaults.
            prefix: Text that error messages put before a setting's name, such as `--`.

        Returns:
            An instance of `settings`.

        Raises:
            UserError: If a setting is unknown (the nearest name is suggested) or a value is wrong or out of range.
        """
        fields = {field.name: field for field in dataclasses.fields(self.settings)}
        types = get_type_hints(self.settings)
        found = {}
        for name, value in given.items():
            if name not in fields:
                known = did_you_mean(name, fields) if fields else "; it has none"
                raise UserError(f"{prefix}{name} is not a setting of {self.name}{known}")
            value = found[name] = _as_number(value, types[name])
            if wrong := _type_mismatch(self.settings, name, value) or _out_of_range(fields[name].metadata, value):
                raise UserError(f"{prefix}{name} must be {wrong}, got {value!r}")
        return self.settings(**found)


methods: Registry[Method] = Registry(
    "methods", "holdfast.training.objectives", "holdfast.training.noise", "holdfast.training.corrections"
)

B = TypeVar("B", bound=Callable[..., Any])


def method(
    name: str,
    place: Place,
    *,
    settings: type[Any] = NoSettings,
    perturbs: bool = False,
    classifies: bool = True,
    reads_gradients: bool = False,
    measured: str = "",
) -> Callable[[B], B]:
    """Register the decorated builder as a method; `holdfast ls` shows the first line of its docstring.

    A builder gets the checked settings and a context, and returns:

    - at `loss`, from a `TrainingContext`: an `Objective`, step -> (loss, values to log);
    - at `weights`, from a `TrainingContext`: a `StepNoise`, an object that runs each optimizer step under noise;
    - at `adapter`, from all `ModuleUpdate`s by module name: a function from one `ModuleUpdate` to its `Correction`.

    These types are defined in `holdfast.training.contract`; `holdfast.training.testing` checks a method against them.

    Args:
        name: Its name in recipes and flags.
        place: `loss` (`--objective`), `weights` (`--noise`) or `adapter` (`holdfast correct --method`).
        settings: A frozen dataclass whose fields are made with `setting`: default, help text and range.
        perturbs: Whether the objective also uses perturbed prompts.
        classifies: Whether the objective can train a classifier.
        reads_gradients: Whether the noise reads the gradients of parameters, which rules out DeepSpeed.
        measured: What it was seen to do, on which model and with how much power, for `ls` and `--help`.

    Raises:
        UserError: If the place is unknown, a setting has no default, or another module has registered the name.
    """
    if place not in PLACES:
        raise UserError(f"method '{name}': unknown place '{place}'; use {', '.join(PLACES)}")
    for field in dataclasses.fields(settings):
        if field.default is dataclasses.MISSING:
            raise UserError(f"method '{name}': its setting '{field.name}' needs a default")

    def register(build: B) -> B:
        methods.register(name, Method(name, place, build, settings, perturbs, classifies, reads_gradients, measured))
        return build

    return register


def setting(default: Any, help: str, *, ge: float | None = None, le: float | None = None) -> Any:
    """Make a field of a settings dataclass.

    Args:
        default: The default value.
        help: The help text, for `--help`.
        ge: The smallest number allowed.
        le: The largest number allowed.
    """
    return dataclasses.field(default=default, metadata={"help": help, "ge": ge, "le": le})


def get_method(name: str, place: Place) -> Method:
    """Return the method called `name`; raises UserError if it is unknown or does not act at `place`."""
    try:
        found = methods.get(name)
    except UserError:
        if name in methods.names():
            raise  # a plug-in that can't be imported
        hint = did_you_mean(name, [each.name for each in methods_at(place)])
        raise UserError(f"unknown {PLACES[place]} '{name}'{hint} (holdfast ls methods lists all)") from None
    if found.place != place:
        names = ", ".join(each.name for each in methods_at(place))
        raise UserError(f"method '{name}' is not {_an(PLACES[place])} but {_an(PLACES[found.place])}; use {names}")
    return found


def methods_at(place: Place) -> list[Method]:
    """Return every method that acts at a place, in alphabetical order; plug-ins that can't be imported are left out."""
    found = []
    for name in methods.names():
        try:
            each = methods.get(name)
        except UserError:  # `holdfast ls methods` shows the error
            continue
        if each.place == place:
            found.append(each)
    return found


def _allowed(kind: Any, limits: Mapping[str, Any]) -> str:
    """Return the values that a setting may have, as in "number in [0, 1]" or "keep, exact or whole number >= 1"."""
    words: list[str] = []
    for one in get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,):
        if get_origin(one) is Literal:
            words += map(str, get_args(one))
        else:
            words.append(_KINDS.get(one, str(one)) + (_range(limits) if one in (int, float) else ""))
    return " or ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


_KINDS = {int: "whole number", float: "number", bool: "true or false", str: "text", type(None): "none"}


def _range(limits: Mapping[str, Any]) -> str:
    least, most = limits.get("ge"), limits.get("le")
    if least is not None and most is not None:
        return f" in [{least:g}, {most:g}]"
    return f" >= {least:g}" if least is not None else f" <= {most:g}" if most is not None else ""


def _an(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _as_number(value: Any, kind: Any) -> Any:
    """Return the number that a text spells, as in 1e-3 or .10, if a number of this type is expected."""
    try:
        if isinstance(value, str) and kind in (int, float):
            value = float(value)
        return int(value) if kind is int and isinstance(value, float) and value == int(value) else value
    except (ValueError, OverflowError):
        return value


def _type_mismatch(settings: type[Any], name: str, value: Any) -> str:
    """Return the type that a value must have, as in "a valid number"; empty if it has it."""
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(get_type_hints(settings)[name]).validate_python(value, strict=True)
    except ValidationError as error:
        return " or ".join(dict.fromkeys(each["msg"].removeprefix("Input should be ") for each in error.errors()))
    return ""


def _out_of_range(limits: Mapping[str, Any], value: Any) -> str:
    """Return the range that a number must be in, as in ">= 0"; empty if it is in range or not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    if not math.isfinite(value):
        return "finite"
    least, most = limits.get("ge"), limits.get("le")
    if least is not None and value < least:
        return f">= {least:g}"
    return f"<= {most:g}" if most is not None and value > most else ""
