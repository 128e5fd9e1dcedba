"""What a method is, the registry of methods, the decorator that fills it, and how a method's settings are checked."""

import dataclasses
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar, get_type_hints

from holdfast.errors import UserError
from holdfast.registry import Registry
from holdfast.suggestions import did_you_mean

Place = Literal["loss", "weights", "adapter"]
PLACES: Mapping[Place, str] = {"loss": "objective", "weights": "noise", "adapter": "correction"}
"""Where a method acts, and what a method that acts there is called."""


@dataclass(frozen=True)
class NoSettings:
    """The settings of a method that has none."""


@dataclass(frozen=True, slots=True)
class Method:
    """A registered method: where it acts, what builds it, and the dataclass of its settings.

    `build(settings, context)` returns what the place asks for (see `method`). `perturbs` marks objectives that also
    prompt the model with perturbed prompts; `classifies` is False for objectives that need generated text.
    """

    name: str
    place: Place
    build: Callable[..., Any]
    settings: type[Any] = NoSettings
    perturbs: bool = False
    classifies: bool = True

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (inspect.getdoc(self.build) or "").split("\n")[0]

    def describe_settings(self) -> Iterator[tuple[str, Any, str]]:
        """Yield name, default and help text of each setting."""
        for field in dataclasses.fields(self.settings):
            yield field.name, field.default, str(field.metadata.get("help", ""))

    def parse_settings(self, given: Mapping[str, Any], prefix: str = "") -> Any:
        """Check values against the settings' types and ranges.

        Args:
            given: Values by setting name; settings left out take their defaults.
            prefix: What error messages put before a setting's name, such as `--`.

        Returns:
            An instance of `settings`.

        Raises:
            UserError: For an unknown setting, with the nearest name, or a value out of range.
        """
        hints = _hints(self.settings)
        for name, value in given.items():
            if name not in hints:
                known = did_you_mean(name, hints) if hints else "; it has none"
                raise UserError(f"{prefix}{name} is not a setting of {self.name}{known}")
            if wrong := _mismatch(hints[name], value):
                raise UserError(f"{prefix}{name} must be {wrong}, got {value!r}")
        return self.settings(**given)


methods: Registry[Method] = Registry(
    "methods", "holdfast.training.objectives", "holdfast.training.noise", "holdfast.training.corrections"
)

B = TypeVar("B", bound=Callable[..., Any])


def method(
    name: str, place: Place, *, settings: type[Any] = NoSettings, perturbs: bool = False, classifies: bool = True
) -> Callable[[B], B]:
    """Register the decorated builder as a method; the first line of its docstring is what `holdfast ls` shows.

    A builder gets the checked settings and a context, and returns:

    - at `loss`, given a `TrainingContext`, an `Objective`: step -> (loss, values to log);
    - at `weights`, given a `TrainingContext`, a `StepNoise`: an object that runs each micro-batch under noise;
    - at `adapter`, given every `ModuleUpdate` by module name, a function from one `ModuleUpdate` to its `Correction`.

    All of these are in `holdfast.training.contract`; `holdfast.training.testing` checks a method against them.

    Args:
        name: What recipes and flags call it.
        place: `loss` (`--objective`), `weights` (`--noise`) or `adapter` (`holdfast correct --method`).
        settings: A frozen dataclass. Every field has a default; `setting` gives it a help text, and
            `Annotated[float, annotated_types.Ge(0)]` a range.
        perturbs: Whether an objective prompts the model with perturbed prompts too.
        classifies: Whether an objective can train a classifier.

    Raises:
        UserError: If the place is unknown, a setting has no default, or another module has registered the name.
    """
    if place not in PLACES:
        raise UserError(f"method '{name}': unknown place '{place}'; use {', '.join(PLACES)}")
    for field in dataclasses.fields(settings):
        if field.default is dataclasses.MISSING:
            raise UserError(f"method '{name}': its setting '{field.name}' needs a default")

    def register(build: B) -> B:
        methods.register(name, Method(name, place, build, settings, perturbs, classifies))
        return build

    return register


def setting(default: Any, help: str) -> Any:
    """A field of a settings dataclass with its help text."""
    return dataclasses.field(default=default, metadata={"help": help})


def get_method(name: str, place: Place) -> Method:
    """Return the method called `name`; raises UserError if there is none that acts at `place`."""
    found = methods.get(name)
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
        except UserError:  # `holdfast ls methods` says what is wrong with it
            continue
        if each.place == place:
            found.append(each)
    return found


def _an(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


@cache
def _hints(settings: type[Any]) -> Mapping[str, Any]:
    names = [field.name for field in dataclasses.fields(settings)]
    hints = get_type_hints(settings, include_extras=True)
    return {name: hints[name] for name in names}


def _mismatch(hint: Any, value: Any) -> str:
    """What a value must be, as in "greater than 0"; empty if it is that."""
    from pydantic import TypeAdapter, ValidationError

    if isinstance(value, float) and not math.isfinite(value):
        return "finite"
    try:
        TypeAdapter(hint).validate_python(value, strict=True)
    except ValidationError as error:
        messages = [each["msg"].removeprefix("Input should be ") for each in error.errors()]
        return " or ".join(dict.fromkeys(messages))
    return ""
