"""The words that only one of two groups of segments has, after matching synonyms, spellings and short forms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cache, lru_cache

from holdfast.language.lexicon_tables import grammar, lexicon_language
from holdfast.language.meanings import are_related, are_synonyms, contrasting_stems, contrasts, relation_keys
from holdfast.language.spelling import is_rare, slip_distance
from holdfast.language.stems import negated_stems, stem, unprefixed
from holdfast.metrics.facts.reading.countries import country_of
from holdfast.metrics.facts.reading.fact_types import Facts
from holdfast.metrics.facts.reading.quantity import units

Opposite = tuple[str, str, str]
"""A stem of the clean side, a stem of the perturbed side that excludes it, and the kind of their conflict."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference in words between a clean and a perturbed group of segments.

    Attributes:
        lost: Stems that only the clean side has.
        gained: Stems that only the perturbed side has.
        opposites: Pairs of stems that exclude each other, one from each side.
        alike: Pairs of a perturbed and a clean stem with the same meaning.
    """

    lost: frozenset[str]
    gained: frozenset[str]
    opposites: tuple[Opposite, ...]
    alike: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1 << 16)
def difference(ours: Facts, theirs: Facts) -> Difference:
    """Compare the words of two groups of segments; cached, since most segments recur in other variants."""
    lost, gained = set(ours.keys - theirs.keys), set(theirs.keys - ours.keys)
    opposites = [*_opposites(lost, gained, ours, theirs)]
    for mine, its, _ in opposites:
        lost.discard(mine)
        gained.discard(its)
    alike: list[tuple[str, str]] = []
    if lost and gained:
        _match_countries(lost, gained, ours, theirs)
        alike = _pair_off(lost, gained, ours, theirs)
    _match_acronyms(lost, gained, ours, theirs)
    _match_acronyms(gained, lost, theirs, ours)
    return Difference(frozenset(lost), frozenset(gained), tuple(opposites), tuple(alike))


def _opposites(lost: Set[str], gained: Set[str], ours: Facts, theirs: Facts) -> Iterator[Opposite]:
    mine, its = lost | (ours.markers - theirs.markers), gained | (theirs.markers - ours.markers)
    language = shared_family(ours, theirs)
    exclusive, excluding = contrasting_stems(language), contrasts(language)
    others = sorted(its & exclusive)
    for one in sorted(mine & exclusive) if others else ():
        found = next((other for other in others if (one, other) in excluding), None)
        if found is not None:
            others.remove(found)
            yield one, found, excluding[one, found]
    for one in sorted(one for one in mine if negated_stems(one)):
        yield from ((one, other, "antonym") for other in negated_stems(one) & its)
    for other in sorted(other for other in its if negated_stems(other)):
        yield from ((one, other, "antonym") for one in negated_stems(other) & mine)
    if language == "en":
        rooted = [(one, roots) for one in sorted(lost) if (roots := unprefixed(one))]
        for other in sorted(gained) if rooted else ():
            if its_roots := unprefixed(other):
                yield from ((one, other, "antonym") for one, roots in rooted if roots & its_roots)
    units_of = unit_stems()
    measures = sorted(its & units_of.keys())
    for one in sorted(mine & units_of.keys()) if measures else ():
        found = next((other for other in measures if units_of[other] != units_of[one]), None)
        if found is not None:
            yield one, found, "unit"


def shared_family(ours: Facts, theirs: Facts) -> str:
    """Return the language whose synonyms and opposites apply to two groups of segments."""
    mine, its = lexicon_language(ours.language), lexicon_language(theirs.language)
    return mine if mine == its else "en"


@cache
def unit_stems() -> dict[str, tuple[str, float]]:
    """Map the stems of units that are whole words to their base unit and factor."""
    return {stem(form): unit for form, unit in units().items() if len(form) > 3 and form.isalpha()}


def _pair_off(lost: set[str], gained: set[str], ours: Facts, theirs: Facts) -> list[tuple[str, str]]:
    """Remove pairs of related words and misspellings from both sets, and return them as (gained, lost)."""
    alike = []
    language = shared_family(ours, theirs)
    theirs_traits = frozenset().union(*(relation_keys(other, language) for other in gained))
    for one in sorted(lost):
        shared = relation_keys(one, language)
        if shared.isdisjoint(theirs_traits):
            continue
        found = [
            other
            for other in gained
            if not shared.isdisjoint(relation_keys(other, language)) and _are_alike(one, other, ours, theirs, language)
        ]
        if found:
            lost.discard(one)
            gained.discard(min(found))
            alike.append((min(found), one))
    rare = {
        key
        for keys, side in ((lost, ours), (gained, theirs))
        for key in keys
        if is_rare(side.forms.get(key, key).lower(), side.language)
    }
    for one in sorted(lost) if rare and gained else ():
        close = next(
            (
                other
                for other in sorted(gained)
                if (one in rare or other in rare)
                and slip_distance(one, other)
                and not (one in ours.name_keys and other in theirs.name_keys)
            ),
            None,
        )
        if close is not None:
            lost.discard(one)
            gained.discard(close)
            alike.append((close, one))
    return alike


def _are_alike(one: str, other: str, ours: Facts, theirs: Facts, language: str) -> bool:
    """Return whether two stems may mean the same; two names only if they are synonyms or forms of one name."""
    if one in ours.name_keys and other in theirs.name_keys:
        return are_synonyms(one, other, language) or are_forms_of_one_name(one, other)
    return are_related(one, other, language)


_DEMONYM = re.compile("(?:[aei]?an|n|i|ese|ish|er)s?")
_SHORT, _CUT = 3, 3
"""The least letters of an abbreviated name, and how many are cut off at least."""


def are_forms_of_one_name(one: str, other: str) -> bool:
    """Return whether one of two names is the other abbreviated, or names its people: Det, Detective; Libya, Libyan.

    >>> [are_forms_of_one_name(*pair) for pair in (("fla", "florida"), ("egypt", "egyptian"), ("libya", "libyan"))]
    [False, True, True]
    >>> [are_forms_of_one_name(*pair) for pair in (("insp", "inspector"), ("ann", "anna"), ("iran", "iraq"))]
    [True, False, False]
    """
    short, long = sorted((one, other), key=len)
    if len(short) >= _SHORT and long.startswith(short) and len(long) - len(short) >= _CUT:
        return True
    return len(short) > 3 and any(
        long.startswith(base) and _DEMONYM.fullmatch(long[len(base) :]) is not None
        for base in (short, short.rstrip("aeo"))
    )


def _match_countries(lost: set[str], gained: set[str], ours: Facts, theirs: Facts) -> None:
    """Remove the names of countries, languages and peoples that both sides have in different forms: China, Chinese."""
    mine, its = _countries(ours), _countries(theirs)
    for code in mine.keys() & its.keys():
        if not mine[code].isdisjoint(lost) and not its[code].isdisjoint(gained):
            lost -= mine[code]
            gained -= its[code]


@lru_cache(maxsize=1 << 14)
def _countries(facts: Facts) -> dict[str, frozenset[str]]:
    """Return the keys that name each country, by its code; those of an acronym are the words that it stands for."""
    found: dict[str, frozenset[str]] = {}
    anyhow = grammar(facts.language).capitalised_nouns  # capitals don't tell names, and adjectives have none
    for key, form in facts.forms.items():
        if (form[0].isupper() or anyhow) and (code := country_of(form.lower(), facts.language)):
            found[code] = found.get(code, frozenset()) | {key}
    return found


def _match_acronyms(short: set[str], long: set[str], ours: Facts, theirs: Facts) -> None:
    """Remove acronyms whose letters begin consecutive words on the other side, and those words."""
    capitals = {key: "".join(filter(str.isupper, ours.forms.get(key, ""))).lower() for key in short if len(key) <= 6}
    for acronym in [key for key, letters in capitals.items() if len(letters) > 1]:
        row = [term.key for term in theirs.order if term.kind != "relation"]
        at = "".join(key[0] for key in row).find(capitals[acronym])
        if at >= 0:
            short.discard(acronym)
            long.difference_update(row[at : at + len(capitals[acronym])])
