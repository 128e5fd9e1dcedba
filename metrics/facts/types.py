"""What is read off a segment, and what a comparison of two says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from holdfast.metrics.facts.quantities import Quantity


class Term(NamedTuple):
    """A word or a quantity in its place: `kind` is word, name, number or relation (a small word that binds two)."""

    key: str
    kind: str
    listed: bool = False
    """Whether a comma or "and" stands beside it."""
    mark: str = ""
    """The relation right before it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one segment.

    `numbers` (normalised, with a unit where one stands), `names` (lower case), `openers` (capitalised first words that
    may be names), `words` (all words, lower case), `keys` (stems of content words), `markers` (small words that exclude
    others: before, up), `negations` (how many) and `negated` (the stems they bear on), `levels` (quantifiers), `order`
    (terms in a row), `passive` (stems that stand before "by"), `forms` (how a key was written).
    """

    text: str = ""
    numbers: frozenset[str] = frozenset()
    quantities: tuple[Quantity, ...] = ()
    names: frozenset[str] = frozenset()
    openers: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    markers: frozenset[str] = frozenset()
    negations: int = 0
    negated: frozenset[str] = frozenset()
    levels: tuple[tuple[float, str], ...] = ()
    order: tuple[Term, ...] = ()
    passive: frozenset[str] = frozenset()
    forms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conflict:
    """How far two segments contradict each other, in [0, 1], and the reason in words (empty where they don't).

    The first word of a reason is its kind: number, unit, date, time, name, negation, antonym, comparison, quantifier,
    roles, omission or addition.
    """

    cost: float
    reason: str


NO_CONFLICT = Conflict(0.0, "")
