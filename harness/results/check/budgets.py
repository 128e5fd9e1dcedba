"""What a candidate may lose: the budgets file (TOML), and the budgets used without one."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from holdfast.errors import UserError
from holdfast.reading import read_text
from holdfast.suggestions import did_you_mean

Undecided = Literal["pass", "fail", "report"]

DEFAULT_MARGIN = 0.05
"""How much worse than the baseline a candidate may be if no budgets file says otherwise."""


class Budget(BaseModel):
    """What one primary metric may lose. Margins and limits are in the metric's own units."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_loss: float | None = Field(None, ge=0, allow_inf_nan=False, strict=True)
    """For metrics of which more is better: the largest acceptable fall from the baseline."""
    max_rise: float | None = Field(None, ge=0, allow_inf_nan=False, strict=True)
    """For metrics of which less is better: the largest acceptable rise from the baseline."""
    limit: float | None = Field(None, allow_inf_nan=False, strict=True)
    """Value that the candidate itself must keep: a floor if more is better, otherwise a ceiling."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.max_loss is not None and self.max_rise is not None:
            raise ValueError("give max_loss or max_rise, not both")
        if self.max_loss is self.max_rise is self.limit is None:
            raise ValueError("give max_loss, max_rise or limit")
        return self

    @property
    def margin(self) -> float | None:
        """The largest acceptable change for the worse, or None if only a limit is set."""
        return self.max_rise if self.max_loss is None else self.max_loss


class CheckSettings(BaseModel):
    """The section [check] of a budgets file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: float = Field(0.05, gt=0, lt=0.5)
    """1 - the confidence of the intervals that decide."""
    power: float = Field(0.8, gt=0, lt=1)
    """Probability of a verdict for which further samples are counted."""
    undecided: Undecided = "report"
    """What UNDECIDED means for the exit status: 0 (pass), 1 (fail) or 3 (report)."""


class Budgets(BaseModel):
    """A budgets file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: CheckSettings = CheckSettings()
    primary: dict[str, Annotated[dict[str, Budget], Field(min_length=1)]] = Field({}, min_length=1)
    """Budgets by task and metric."""


def read_budgets(path: Path) -> Budgets:
    """Read a budgets file.

    Raises:
        UserError: If it can't be read, isn't TOML, is empty, or a name or value is wrong.
    """
    where = f"budgets file '{path}'"
    try:
        content = tomllib.loads(read_text(path, "budgets file"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"{where} is not valid TOML: {error}") from None
    if not content:
        raise UserError(f"{where} is empty: set budgets, as in [primary.TASK] perturbed = {{max_loss = 0.02}}")
    return make_budgets(content, where)


def make_budgets(content: Mapping[str, Any], where: str = "budgets") -> Budgets:
    """Validate budgets given as nested mappings, as a TOML file holds them.

    Args:
        content: The sections `check` and `primary`.
        where: What the budgets come from, for messages.

    Raises:
        UserError: If a name or value is wrong.
    """
    try:
        return Budgets.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{where}: {_problem(error)}") from None


def default_budgets(metrics: Mapping[str, Mapping[str, bool]]) -> dict[str, dict[str, Budget]]:
    """Return the budgets used without a file: a margin of 0.05 for each metric.

    Args:
        metrics: By task, the default primary metrics and whether more is better.
    """
    return {
        task: {
            name: Budget(max_loss=DEFAULT_MARGIN) if higher else Budget(max_rise=DEFAULT_MARGIN)
            for name, higher in names.items()
        }
        for task, names in metrics.items()
    }


def check_direction(budget: Budget, where: str, *, higher_is_better: bool) -> None:
    """Raise UserError if a budget limits the change that is welcome."""
    if higher_is_better and budget.max_rise is not None:
        raise UserError(f"{where}: higher is better, so a rise is no loss: use max_loss instead of max_rise")
    if not higher_is_better and budget.max_loss is not None:
        raise UserError(f"{where}: lower is better, so a fall is no loss: use max_rise instead of max_loss")


def check_reach(budget: Budget, where: str) -> None:
    """Raise UserError if a budget of a metric in [0, 1] lies beyond: it could never fail, or never pass."""
    for name, value in (("max_loss", budget.max_loss), ("max_rise", budget.max_rise), ("limit", budget.limit)):
        if value is not None and not 0 <= value <= 1:
            raise UserError(f"{where}: {name} = {value:g}, but its values lie between 0 and 1: write 5 % as 0.05")


def check_names(asked: Iterable[str], known: Iterable[str], where: str, kind: str) -> None:
    """Raise UserError naming the first of the names asked for that isn't known, and the nearest known one."""
    there = list(known)
    for name in asked:
        if name not in there:
            raise UserError(f"{where}: unknown {kind} '{name}'{did_you_mean(name, there)}")


def _problem(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        *above, name = map(str, first["loc"])
        known = Budget if above[:1] == ["primary"] else CheckSettings if above else Budgets
        return f"unknown setting '{place}'{did_you_mean(name, known.model_fields)}"
    if first["type"] == "too_short":
        return f"{place}: it is empty: name a metric and what it may lose, as in perturbed = {{max_loss = 0.02}}"
    if not place:
        return f"must be a mapping with the sections check and primary, got {type(first['input']).__name__}"
    if first["type"] == "greater_than_equal":
        return f"{place}: a margin must be >= 0 (it is how much worse is acceptable), got {first['input']!r}"
    return f"{place}: {first['msg'].removeprefix('Value error, ').lower()}, got {first['input']!r}"
