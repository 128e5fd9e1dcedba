"""Two groups of segments that are compared, with what every detector needs to know of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rapidfuzz.distance import LCSseq

from holdfast.language.lexicon_tables import lexicon_language
from holdfast.language.meanings import contrasting_stems
from holdfast.metrics.facts.comparing.difference import Difference, difference
from holdfast.metrics.facts.reading.agreement import unmatched
from holdfast.metrics.facts.reading.answer import Answer
from holdfast.metrics.facts.reading.fact_types import Facts
from holdfast.metrics.facts.reading.quantity import Quantity
from holdfast.metrics.facts.reading.weighed_words import Worded

Quantities = tuple[Sequence[Quantity], Sequence[Quantity]]


@dataclass(frozen=True)
class Compared:
    """A group of clean segments and a group of perturbed ones.

    Attributes:
        ours: The facts of the clean group.
        theirs: The facts of the perturbed group.
        before: The whole clean answer.
        after: The whole perturbed answer.
        segments: The segments of either group; each group is one if None.
        words: The words of either group with their vectors; None without an encoder that has them.
    """

    ours: Facts
    theirs: Facts
    before: Answer
    after: Answer
    segments: tuple[Sequence[Facts], Sequence[Facts]] | None = None
    words: tuple[Worded, Worded] | None = None

    @property
    def parts(self) -> tuple[Sequence[Facts], Sequence[Facts]]:
        """The segments of either group."""
        return self.segments or ((self.ours,), (self.theirs,))

    def unlike(self, one: str, other: str) -> float:
        """Return the distance of two words, one of either group, in their contexts; 1 where there are no vectors."""
        if self.words is None:
            return 1.0
        mine, its = (
            self.words[0].vector(one, self.ours.forms.get(one, "")),
            self.words[1].vector(other, self.theirs.forms.get(other, "")),
        )
        return 1.0 if mine is None or its is None else min(1.0, max(0.0, 1.0 - float(mine @ its)))

    @property
    def language(self) -> str:
        """The language of both groups; English if they differ."""
        return self.ours.language if self.ours.language == self.theirs.language else "en"

    @cached_property
    def found(self) -> Difference:
        """The difference in words between the two groups."""
        return difference(self.ours, self.theirs)

    @cached_property
    def lost(self) -> frozenset[str]:
        """The stems that only the clean group has and that are nowhere in the perturbed answer, literals aside."""
        return self.after.missing(self.found.lost - {one.key for one in self.ours.literals})

    @cached_property
    def gained(self) -> frozenset[str]:
        """The stems that only the perturbed group has and that are nowhere in the clean answer, literals aside."""
        return self.before.missing(self.found.gained - {one.key for one in self.theirs.literals})

    @cached_property
    def rows(self) -> tuple[Sequence[str], Sequence[str]]:
        """The keys of the terms of either group in order, between two "", those of words with the same meaning made
        one."""
        alike = dict(self.found.alike)
        its = ["", *(alike.get(term.key, term.key) for term in self.theirs.order), ""]
        return ["", *(term.key for term in self.ours.order), ""], its

    @property
    def differing_share(self) -> float:
        """1 if either group has words or quantities of its own; otherwise the share of the content words that are in
        another order, synonyms taken as one."""
        if self.found.lost or self.found.gained or any(self.quantities):
            return 1.0
        alike = dict(self.found.alike)
        mine, its = ([term.key for term in side.order if term.kind != "relation"] for side in (self.ours, self.theirs))
        longest = max(len(mine), len(its))
        return 1.0 - LCSseq.similarity(mine, [alike.get(key, key) for key in its]) / longest if longest else 1.0

    def in_place(self, lost: Set[str], gained: Set[str]) -> list[tuple[str, str]]:
        """Return the terms of `lost` and `gained` that stand in the same place, sorted."""
        mine, its = self._places
        there: dict[tuple[int, str], list[str]] = {}
        for other in gained:
            for place in its.get(other, ()):
                there.setdefault(place, []).append(other)
        return sorted({(one, other) for one in lost for place in mine.get(one, ()) for other in there.get(place, ())})

    def stand_alike(self, one: str, other: str) -> bool:
        """Return whether two terms are in the same place: the words before both are the same, or those after both."""
        mine, its = self._places
        return not mine.get(one, frozenset()).isdisjoint(its.get(other, ()))

    @cached_property
    def _places(self) -> tuple[Mapping[str, Set[tuple[int, str]]], Mapping[str, Set[tuple[int, str]]]]:
        """The words before (-1) and after (1) each term of either group."""
        return _neighbours(self.rows[0]), _neighbours(self.rows[1])

    @cached_property
    def moved(self) -> int:
        """How many words of either group, names aside, are in another segment of the other answer."""
        if len(self.before.segments) == len(self.after.segments) == 1:
            return 0
        names = self.ours.name_keys | self.theirs.name_keys
        return len(self.found.lost - self.lost - names) + len(self.found.gained - self.gained - names)

    @cached_property
    def quantities(self) -> Quantities:
        """The quantities that only one group has, for either group; none if they only moved to other segments."""
        if not (self.ours.quantities or self.theirs.quantities):
            return (), ()
        mine, its = _unmatched(self.ours, self.theirs)
        kept = any(map(self.after.lacks, mine)) or any(map(self.before.lacks, its))
        return (mine, its) if kept or self.moved <= 1 else ((), ())


def _neighbours(row: Sequence[str]) -> dict[str, set[tuple[int, str]]]:
    found: dict[str, set[tuple[int, str]]] = {}
    for before, key, after in zip(row, row[1:], row[2:], strict=False):
        found.setdefault(key, set()).update(((-1, before), (1, after)))
    return found


@lru_cache(maxsize=1 << 16)
def _unmatched(ours: Facts, theirs: Facts) -> Quantities:
    mine, its = unmatched(ours.quantities, theirs.quantities), unmatched(theirs.quantities, ours.quantities)
    return ((), ()) if mine and _sign_in_words(mine, its, ours, theirs) else (mine, its)


def _sign_in_words(mine: Sequence[Quantity], its: Sequence[Quantity], ours: Facts, theirs: Facts) -> bool:
    """Return whether the numbers differ only in sign, and a word may express it instead: grew by -3%, fell by 3%."""
    if sorted((-one.value, one.unit) for one in mine) != sorted((one.value, one.unit) for one in its):
        return False
    if any(one.kind != "number" or not one.value for one in mine):
        return False
    found = difference(ours, theirs)
    above, language = (found.gained, theirs.language) if mine[0].value < 0 else (found.lost, ours.language)
    return not contrasting_stems(lexicon_language(language)).isdisjoint(above)
