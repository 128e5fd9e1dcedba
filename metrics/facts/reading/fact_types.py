"""The data types for the facts of a segment and for the differences between two segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from holdfast.metrics.facts.reading.quantity import Quantity


class Term(NamedTuple):
    """A word or quantity in the order of the text.

    Attributes:
        key: Its stem or normalised value.
        kind: "word", "name", "number" or "relation" (a function word that links two terms).
        listed: Whether it is next to a comma or "and".
        mark: The relation right before it; "" if there is none.
        links: The prepositions and conjunctions since the last content word, in lower case.
    """

    key: str
    kind: str
    listed: bool = False
    mark: str = ""
    links: tuple[str, ...] = ()


CASES = frozenset({"nominative", "accusative", "dative"})
"""The jobs of articles that mark the case of their noun."""


class Literal(NamedTuple):
    """An address, a piece of code or an emoji: its kind, its normalised form, and how it was written."""

    kind: str
    key: str
    form: str


class Modal(NamedTuple):
    """A word that expresses certainty or obligation.

    Attributes:
        word: The word in lower case.
        jobs: What it may express: must, should, may, maybe, ...
        head: The key of the first content word after it.
    """

    word: str
    jobs: frozenset[str]
    head: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The facts of one segment; compared by identity.

    Attributes:
        text: The segment.
        language: Its language code.
        numbers: The keys of its quantities.
        quantities: Its quantities, in the order in which they were found.
        names: Names, in lower case.
        name_keys: The stems of the names.
        words: All words, in lower case.
        keys: The stems of content words and names.
        markers: The stems of function words that exclude others: before, up.
        negations: The number of negations.
        negated: The stems that the negations apply to.
        reach: All stems after a negation in its clause.
        levels: Quantifiers, as (level, word).
        order: The terms in the order of the text.
        passive: The stems before the "by" of a passive.
        forms: How each key was written.
        literals: Addresses and code.
        emoji: Emoji.
        modals: Words of certainty and obligation.
        only: The number of terms restricted by "only" or a similar word.
        scores: Pairs of numbers that form a score or ratio: 2-1, 3:1.
        cases: The case of each noun whose article shows it.
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


class Finding(NamedTuple):
    """One way in which two groups of segments differ.

    Attributes:
        kind: What differs, a key of the table of costs (`holdfast.metrics.costs`): number, name, negation, ...
        strength: How much it differs, in (0, 1].
        reason: The difference in words: "number 12 -> 21".
        clean: The words concerned in the clean segments, as written.
        perturbed: The words concerned in the perturbed segments, as written.
    """

    kind: str
    strength: float
    reason: str
    clean: tuple[str, ...] = ()
    perturbed: tuple[str, ...] = ()


def replaced(kind: str, strength: float, clean: Sequence[str], perturbed: Sequence[str], name: str = "") -> Finding:
    """Return the finding of words in place of others; `name` is what the reason calls it if that is not its kind."""
    return Finding(
        kind, strength, f"{name or kind} {', '.join(clean)} -> {', '.join(perturbed)}", (*clean,), (*perturbed,)
    )


def one_sided(kind: str, strength: float, clean: Sequence[str], perturbed: Sequence[str], name: str = "") -> Finding:
    """Return the finding of words that only one side has; the other sequence is empty."""
    words, how = (clean, "lost") if clean else (perturbed, "added")
    return Finding(kind, strength, f"{name or kind} {', '.join(words)} {how}", (*clean,), (*perturbed,))
