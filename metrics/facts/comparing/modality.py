"""Compares certainty, obligation, tense and exclusivity: must, should, may, might, only."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.language.lexicon_tables import irregular_forms
from holdfast.language.meanings import tables
from holdfast.metrics.facts.comparing.difference import Difference
from holdfast.metrics.facts.reading.fact_types import NO_CONFLICT, Conflict, Facts, Modal

_STRENGTH = {"must": 3.0, "will": 3.0, "should": 2.2, "probably": 2.0, "may": 1.0, "maybe": 1.0, "free": 1.0}
"""How strong a commitment each job expresses."""

_HEDGED = {"maybe": 0.6, "probably": 0.35}
"""The cost of a hedge that only one side has; an ability or duty that is left implicit costs nothing."""

_OTHER_VERB = 0.5
"""The factor if the verbs differ, too: must remain seated, may not get up."""

_TENSE = 0.6
"""The cost of future instead of past."""

_ALONE = 0.6
"""The cost of an "only" that one side has."""


def modality_conflict(ours: Facts, theirs: Facts, found: Difference) -> Conflict:
    """Return the conflict of modals of different strength (must, should, may, ...), or of a hedge on one side.

    If either side has a negation, "may", "can" and "must" all forbid, so only hedges are compared. Modals of different
    verbs are not compared. A question such as "Could you ...?" is not a hedge.
    """
    mine, its = _left(ours, theirs), _left(theirs, ours)
    if ours.negations or theirs.negations:
        mine, its = ([one for one in side if "may" not in one.jobs] for side in (mine, its))
    pairs = [(one, other) for one in mine for other in its if _of_one_verb(one, other, found)]
    if pairs:
        one, other = min(pairs, key=lambda pair: _strength(pair[0]) + _strength(pair[1]))
        step = abs(_strength(one) - _strength(other))
        cost = 0.9 if step >= 1.5 else 0.5 if step >= 0.7 else 0.0
        cost *= _OTHER_VERB if one.head in found.lost and other.head in found.gained else 1.0
        return Conflict(cost * found.shared, f"modality {one.word} -> {other.word}") if cost else NO_CONFLICT
    doubts = [(max(_HEDGED.get(job, 0.0) for job in one.jobs), one.word) for one in (*mine, *its)]
    cost, word = max(doubts, default=(0.0, ""))
    asked = ours.text.rstrip().endswith("?") or theirs.text.rstrip().endswith("?")
    if cost and not asked and not _other_doubts(theirs if mine else ours):
        return Conflict(cost * found.shared, f"modality {word} {'lost' if mine else 'added'}")
    return NO_CONFLICT


def tense_conflict(ours: Facts, theirs: Facts, found: Difference) -> Conflict:
    """Return the conflict of future and past tense: will resign, resigned. "would" and "going" count as future."""
    ahead, behind = (ours, theirs) if _looks_ahead(ours) else (theirs, ours)
    if not _looks_ahead(ahead) or _looks_ahead(behind) or _jobs(behind) & {"ahead"} or _jobs(ahead) & {"past"}:
        return NO_CONFLICT
    pasts = [word for key in sorted(ahead.keys & behind.keys) if (word := _past(behind, key)) != _past(ahead, key)]
    pasts = [word for word in pasts if word] or sorted(
        word for word in behind.words if "past" in _jobs_of(word, behind.language)
    )
    if not pasts:
        return NO_CONFLICT
    tenses = ("will", pasts[0]) if ahead is ours else (pasts[0], "will")
    return Conflict(_TENSE * found.shared, "tense " + " -> ".join(tenses))


def exclusivity_conflict(ours: Facts, theirs: Facts, found: Difference) -> Conflict:
    """Return the conflict of an "only" that one side has; "not unless" means the same."""
    if bool(ours.only) == bool(theirs.only) or ours.negations != theirs.negations:
        return NO_CONFLICT
    return Conflict(_ALONE * found.shared, f"quantifier only {'lost' if ours.only else 'added'}")


def _looks_ahead(facts: Facts) -> bool:
    return any("will" in one.jobs for one in facts.modals)


def _jobs(facts: Facts) -> frozenset[str]:
    return frozenset().union(*(_jobs_of(word, facts.language) for word in facts.words))


def _jobs_of(word: str, language: str) -> frozenset[str]:
    return tables(language).jobs.get(word, frozenset())


def _past(facts: Facts, key: str) -> str:
    """Return the past form of an English verb if the segment has it in that form, else ""."""
    form = facts.forms.get(key, "").lower()
    return form if form in irregular_forms() or form.endswith("ed") else ""


def _left(facts: Facts, others: Facts) -> Sequence[Modal]:
    """Return the modals that share no job with any modal of the other side."""
    return [one for one in facts.modals if not any(one.jobs & other.jobs for other in others.modals)]


def _of_one_verb(one: Modal, other: Modal, found: Difference) -> bool:
    """Return whether two modals may apply to the same verb, as far as their verbs are known."""
    known = one.head and other.head and one.head not in found.lost and other.head not in found.gained
    return not known or one.head == other.head or (other.head, one.head) in found.alike


def _other_doubts(facts: Facts) -> bool:
    return any(one.jobs & _HEDGED.keys() for one in facts.modals)


def _strength(modal: Modal) -> float:
    return min(_STRENGTH[job] for job in modal.jobs)
