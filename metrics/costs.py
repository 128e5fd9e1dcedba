"""The table of costs: how much each kind of difference counts, as `holdfast calibrate --fit` fitted it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast.metrics.facts import Finding
from holdfast.reading import parse_json

COVERAGE = frozenset({"meaning", "wording", "one-sided", "elsewhere"})
"""The kinds that say how much of one text the other covers."""

CONFLICTS = frozenset(
    {"word", "name", "name apart", "spelling", "number", "unit", "date", "time", "negation", "negation apart"}
    | {"antonym", "comparison", "pronoun", "opposite apart", "quantifier", "quantifier alone", "only", "modality"}
    | {"hedge", "tense", "roles", "order", "moved", "code", "code alone", "address", "address alone"}
    | {"emoji", "opposite emoji", "symbol"}
)
"""The kinds that say that two texts say different things. A kind is "alone" if only one side has what differs, and
"apart" if the words around it differ, too."""

TABLE = "drift_costs.json"


@dataclass(frozen=True, slots=True)
class Costs:
    """The weight w_k of each kind of difference, and the sum at which a pair is as likely changed as not.

    Attributes:
        weights: The weights, none negative.
        middle: The weighted sum of strengths at which the cost is one half.
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


@cache
def shipped_costs(vectors: bool) -> Costs:
    """Return the costs that come with Holdfast: for encoders with or without contextual vectors of words."""
    table = parse_json(files("holdfast.metrics").joinpath("data", TABLE).read_text("utf-8"), TABLE)
    return _costs(table["vectors" if vectors else "rules"])


def _costs(table: Any) -> Costs:
    return Costs({str(kind): float(weight) for kind, weight in table["weights"].items()}, float(table["middle"]))
