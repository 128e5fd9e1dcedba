"""What one group of segments has that the other lacks, once synonyms, spellings and short forms are paired off."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import cache

from holdfast.metrics.facts.quantities import units
from holdfast.metrics.facts.spelling import frequency, slips
from holdfast.metrics.facts.stems import kin, opposite_forms, stem
from holdfast.metrics.facts.tables import contrasts
from holdfast.metrics.facts.types import Facts


@dataclass(frozen=True, slots=True)
class Difference:
    """Stems that only one side has (`lost` of the clean side, `gained` of the perturbed), pairs of opposites among
    them, and the share of the smaller side's stems that both have."""

    lost: frozenset[str]
    gained: frozenset[str]
    opposites: tuple[tuple[str, str, str], ...]
    shared: float


def difference(ours: Facts, theirs: Facts) -> Difference:
    """Compare the words of two groups of segments."""
    lost, gained = set(ours.keys - theirs.keys), set(theirs.keys - ours.keys)
    opposites = [*_opposites(lost, gained, ours, theirs)]
    for mine, its, _ in opposites:
        lost.discard(mine)
        gained.discard(its)
    if lost and gained:
        _pair_off(lost, gained)
    _short_forms(lost, gained, ours, theirs)
    _short_forms(gained, lost, theirs, ours)
    least = min(len(ours.keys), len(theirs.keys))
    kept = least - min(len(lost), len(gained), least)
    return Difference(frozenset(lost), frozenset(gained), tuple(opposites), kept / least if least else 1.0)


def _opposites(lost: Set[str], gained: Set[str], ours: Facts, theirs: Facts) -> Iterable[tuple[str, str, str]]:
    known = contrasts()
    mine, its = lost | (ours.markers - theirs.markers), gained | (theirs.markers - ours.markers)
    taken: set[str] = set()
    for one in sorted(mine):
        for other in sorted(its - taken):
            kind = known.get((one, other)) or _unlike_forms(one, other)
            if kind:
                taken.add(other)
                yield one, other, kind
                break


def _unlike_forms(one: str, other: str) -> str:
    """What conflicts by form alone: negative prefixes, and different units."""
    if opposite_forms(one, other):
        return "antonym"
    first, second = unit_stems().get(one), unit_stems().get(other)
    return "unit" if first and second and first != second else ""


@cache
def unit_stems() -> dict[str, tuple[str, float]]:
    """Units that are whole words, by their stems."""
    return {stem(form): unit for form, unit in units().items() if len(form) > 3 and form.isalpha()}


def _pair_off(lost: set[str], gained: set[str]) -> None:
    """Take out the pairs that say the same: kin, or one misspelt."""
    for alike in (kin, _misspelt):
        for one in sorted(lost):
            found = next((other for other in sorted(gained) if alike(one, other)), None)
            if found is not None:
                lost.discard(one)
                gained.discard(found)


def _misspelt(one: str, other: str) -> bool:
    return len(one) > 3 and bool(slips(one, other)) and min(frequency(one), frequency(other)) < 2.0


def _short_forms(short: set[str], long: set[str], ours: Facts, theirs: Facts) -> None:
    """Take out acronyms whose letters begin words in a row on the other side, and those words."""
    for acronym in [key for key in short if 2 <= len(key) <= 6 and ours.forms.get(key, "").isupper()]:
        row = [term.key for term in theirs.order if term.kind != "relation"]
        initials = "".join(key[0] for key in row)
        at = initials.find(acronym)
        if at >= 0 and len(acronym) > 1:
            short.discard(acronym)
            long.difference_update(row[at : at + len(acronym)])
