"""The table of costs: how much each kind of difference counts, as `holdfast calibrate --fit` fitted it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.metrics.facts import Finding
from holdfast.reading import parse_json, read_text

COVERAGE = frozenset({"meaning", "wording", "one-sided", "rewritten"})
"""The kinds that say how much of one text the other covers."""

CONFLICTS = frozenset(
    {
        "word",
        "name",
        "spelling",
        "number",
        "unit",
        "date",
        "time",
        "negation",
        "negation apart",
        "antonym",
        "comparison",
    }
    | {"pronoun", "quantifier", "only", "modality", "roles", "exchanged", "moved", "symbol", "symbol alone"}
)
"""The kinds that say that two texts say different things. A kind is "alone" if only one side has what differs, and
"apart" if the words around it differ, too."""

TABLE = "drift_costs.json"


@dataclass(frozen=True, slots=True)
class Costs:
    """The weight w_k of each kind of difference, and the sum at which a pair is about as likely changed as not.

    Attributes:
        weights: The weights, none negative.
        middle: The weighted sum of strengths at which the cost is close to one half.
    """

    weights: Mapping[str, float]
    middle: float

    def total(self, found: Iterable[Finding]) -> float:
        """Return the sum over kinds of w_k times the greatest strength of that kind."""
        strengths: dict[str, float] = {}
        for each in found:
            if each.strength > strengths.get(each.kind, 0.0):
                strengths[each.kind] = each.strength
        return sum(self.weights[kind] * strength for kind, strength in strengths.items())

    def cost(self, total: float) -> float:
        """Return the cost in [0, 1] of a sum z: (s(z - m) - s(-m)) / (1 - s(-m)), s the logistic function.

        It is 0 for z = 0 and grows to 1; at the middle m it is close to one half.
        """
        least = 1 / (1 + math.exp(self.middle))
        return (1 / (1 + math.exp(self.middle - total)) - least) / (1 - least)

    def reason(self, found: Iterable[Finding]) -> str:
        """Return the reason of the finding that counts most among those that have one."""
        told = [each for each in found if each.reason]
        return max(told, key=lambda each: self.weights[each.kind] * each.strength).reason if told else ""


@dataclass(frozen=True, slots=True)
class CostTable:
    """The costs for encoders without vectors of words, and for those with them."""

    rules: Costs
    vectors: Costs

    def of(self, vectors: bool) -> Costs:
        """Return the costs for an encoder with vectors of words, or without."""
        return self.vectors if vectors else self.rules


@cache
def shipped_costs() -> CostTable:
    """Return the costs that come with Holdfast."""
    return _table(files("holdfast.metrics").joinpath("data", TABLE).read_text("utf-8"), TABLE)


def read_costs(path: Path) -> CostTable:
    """Read a table that `holdfast calibrate --fit` wrote.

    Raises:
        UserError: If the file can't be read, or is not such a table.
    """
    return _table(read_text(path, "table of costs"), str(path))


def _table(text: str, where: str) -> CostTable:
    table = parse_json(text, where)
    try:
        return CostTable(_costs(table["rules"]), _costs(table["vectors"]))
    except (KeyError, TypeError, ValueError):
        raise UserError(f"'{where}' is not a table of costs: write one with holdfast calibrate --fit") from None


def _costs(table: Any) -> Costs:
    weights = {str(kind): float(weight) for kind, weight in table["weights"].items()}
    if weights.keys() != COVERAGE | CONFLICTS or not all(0 <= weight < math.inf for weight in weights.values()):
        raise ValueError
    return Costs(weights, float(table["middle"]))
