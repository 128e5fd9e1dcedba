"""What is read off a segment, and what a comparison of two says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from holdfast.metrics.facts.reading.quantity import Quantity


class Term(NamedTuple):
    """A word or a quantity in its place: `kind` is word, name, number or relation (a small word that binds two)."""

    key: str
    kind: str
    listed: bool = False
    """Whether a comma or "and" stands beside it."""
    mark: str = ""
    """The relation right before it."""


OWNER = "of"
"""The mark of a name that owns what follows: Robert's manager, the manager of Robert."""


class Sequel(NamedTuple):
    """Two parts of a statement, by their keys: what comes first, or causes the other, and what follows."""

    first: frozenset[str]
    then: frozenset[str]


CASES = frozenset({"nominative", "accusative", "dative"})
"""The jobs of articles that show the case of their noun."""


class Literal(NamedTuple):
    """An address, a piece of code or an emoji: its kind, the form in which it compares, and how it was written."""

    kind: str
    key: str
    form: str


class Modal(NamedTuple):
    """A word that says how sure or how binding a statement is, and what it may say: must, should, may, maybe, ..."""

    word: str
    jobs: frozenset[str]
    head: str = ""
    """The first content word that follows it."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The facts of one segment.

    `numbers` (normalised, with a unit where one stands), `names` (lower case), `name_keys` (their stems), `words` (all,
    lower case), `keys` (stems of content words), `markers` (small words that exclude others: before, up) and `marked`
    (the same in a row), `negations` (how many), `negated` (the stems they bear on) and `reach` (all that follow in
    their clauses), `levels` (quantifiers), `order` (terms in a row), `passive` (stems that stand before "by"), `forms`
    (how a key was written), `literals` (addresses, code), `emoji`, `modals`, `only` (how often something is said of
    nothing else), `scores` (numbers bound to the next one: 2-1, 3:1), `cases` (of nouns, where an article shows them),
    `sequels` (what comes before what, or of what).
    Each is equal to itself alone.
    """

    text: str = ""
    language: str = "en"
    numbers: frozenset[str] = frozenset()
    quantities: tuple[Quantity, ...] = ()
    names: frozenset[str] = frozenset()
    name_keys: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    markers: frozenset[str] = frozenset()
    marked: tuple[str, ...] = ()
    negations: int = 0
    negated: frozenset[str] = frozenset()
    reach: frozenset[str] = frozenset()
    levels: tuple[tuple[float, str], ...] = ()
    order: tuple[Term, ...] = ()
    passive: frozenset[str] = frozenset()
    forms: Mapping[str, str] = field(default_factory=dict)
    literals: tuple[Literal, ...] = ()
    emoji: tuple[Literal, ...] = ()
    modals: tuple[Modal, ...] = ()
    only: int = 0
    scores: frozenset[tuple[str, str]] = frozenset()
    cases: Mapping[str, str] = field(default_factory=dict)
    sequels: tuple[Sequel, ...] = ()


class Conflict(NamedTuple):
    """How far two segments contradict each other, in [0, 1], and the reason in words (empty where they don't).

    The first word of a reason is its kind: number, unit, date, time, name, negation, antonym, comparison, quantifier,
    modality, tense, roles, order, word, address, code, emoji, omission or addition.
    """

    cost: float
    reason: str


NO_CONFLICT = Conflict(0.0, "")
