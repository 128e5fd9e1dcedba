"""Who does what in languages whose nouns show it themselves: der Hund, den Hund; Ольга, Ольгу."""

from __future__ import annotations

from functools import lru_cache

from holdfast.language.lexicon_tables import grammar
from holdfast.language.meanings import tables
from holdfast.language.spelling import frequency
from holdfast.metrics.facts.comparing.difference import Difference
from holdfast.metrics.facts.reading.fact_types import Facts


def exchanged_cases(ours: Facts, theirs: Facts, found: Difference) -> tuple[str, str] | None:
    """Two nouns of which one acts on the clean side and suffers on the perturbed; None where none does.

    An article shows the case for sure and one change is enough; by their endings two must change, in opposite ways.
    """
    if found.lost or found.gained or _is_passive(ours) != _is_passive(theirs):
        return None
    shared = (term.key for term in ours.order if term.kind != "relation" and term.key in theirs.keys)
    common = list(dict.fromkeys(shared))
    changed = [key for key in common if _acts(ours, key) is not _acts(theirs, key)]
    changed = [key for key in changed if None not in (_acts(ours, key), _acts(theirs, key))]
    for one in changed:
        for other in changed:
            if _acts(ours, one) is not _acts(ours, other):
                return one, other
    nouns = [key for key in common if ours.forms.get(key, "")[:1].isupper()]
    if not changed or not ours.cases:
        return None
    another = next((key for key in nouns if key != changed[0]), None)
    return None if another is None else (changed[0], another)


def order_says_nothing(ours: Facts, theirs: Facts, one: str, other: str) -> bool:
    """Whether two nouns may change places, as one of them shows its case, and the same on both sides."""
    sides = [(_acts(ours, key), _acts(theirs, key)) for key in (one, other)]
    return any(mine is its is not None and (ours.cases or not mine) for mine, its in sides)


def _acts(facts: Facts, key: str) -> bool | None:
    """Whether a noun stands in the case of who acts; None where nothing shows it."""
    if endings := grammar(facts.language).cases:
        return not _by_ending(facts.forms.get(key, key).lower(), facts.language, endings)
    case = facts.cases.get(key)
    return None if case is None else case == "nominative"


@lru_cache(maxsize=1 << 14)
def _by_ending(form: str, language: str, endings: tuple[tuple[str, str], ...]) -> bool:
    """Whether a word ends as who suffers does: its other form, that of who acts, is the more common."""
    return any(
        form.endswith(suffers) and frequency(form.removesuffix(suffers) + acts, language) > frequency(form, language)
        for acts, suffers in endings
    )


def _is_passive(facts: Facts) -> bool:
    jobs = tables(facts.language).jobs
    return any("passive" in jobs.get(word, ()) for word in facts.words)
