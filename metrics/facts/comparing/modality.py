"""Compares certainty, obligation, tense and exclusivity: must, should, may, might, only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.language.lexicon_tables import irregular_forms
from holdfast.language.meanings import tables
from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.comparing.difference import Difference
from holdfast.metrics.facts.reading.fact_types import Facts, Finding, Modal, one_sided, replaced

_STRENGTH = {"must": 3.0, "will": 3.0, "should": 2.2, "probably": 2.0, "may": 1.0, "maybe": 1.0, "free": 1.0}
"""How strong a commitment each job expresses."""

_HEDGES = frozenset({"maybe", "probably"})
"""What changes a statement if only one side has it; an ability or duty that is left implicit does not."""

_RANGE = 2.0
"""How far apart the strongest and the weakest are."""


def modality_findings(pair: Compared) -> Iterator[Finding]:
    """Compare certainty, obligation, tense and exclusivity."""
    if pair.ours.modals or pair.theirs.modals:
        yield from _modals(pair)
    yield from _tenses(pair)
    ours, theirs = pair.ours, pair.theirs
    if bool(ours.only) != bool(theirs.only) and ours.negations == theirs.negations:  # "not unless" means the same
        yield Finding("only", 1.0, f"quantifier only {'lost' if ours.only else 'added'}")


def _modals(pair: Compared) -> Iterator[Finding]:
    """Compare modals (must, should, may, ...) of one verb, and hedges that only one side has.

    If either side has a negation, "may", "can" and "must" all forbid, so only hedges are compared. A question such as
    "Could you ...?" is not a hedge.
    """
    ours, theirs, found = pair.ours, pair.theirs, pair.found
    mine, its = _left(ours, theirs), _left(theirs, ours)
    if ours.negations or theirs.negations:
        mine, its = ([one for one in side if "may" not in one.jobs] for side in (mine, its))
    pairs = [(one, other) for one in mine for other in its if _of_one_verb(one, other, found)]
    if pairs:
        one, other = min(pairs, key=lambda pair: _strength(pair[0]) + _strength(pair[1]))
        step = abs(_strength(one) - _strength(other)) / _RANGE
        if step:
            yield replaced("modality", step, [one.word], [other.word])
        return
    hedges = [one for one in (*mine, *its) if one.jobs & _HEDGES]
    asked = ours.text.rstrip().endswith("?") or theirs.text.rstrip().endswith("?")
    if hedges and not asked and not any(one.jobs & _HEDGES for one in (theirs if mine else ours).modals):
        words = ([hedges[0].word], []) if mine else ([], [hedges[0].word])
        yield one_sided("hedge", 1.0, *words, "modality")


def _tenses(pair: Compared) -> Iterator[Finding]:
    """Compare future and past tense: will resign, resigned. "would" and "going" count as future."""
    ours, theirs = pair.ours, pair.theirs
    ahead, behind = (ours, theirs) if _looks_ahead(ours) else (theirs, ours)
    if not _looks_ahead(ahead) or _looks_ahead(behind) or _jobs(behind) & {"ahead"} or _jobs(ahead) & {"past"}:
        return
    pasts = [word for key in sorted(ahead.keys & behind.keys) if (word := _past(behind, key)) != _past(ahead, key)]
    pasts = [word for word in pasts if word] or sorted(
        word for word in behind.words if "past" in _jobs_of(word, behind.language)
    )
    if pasts:
        tenses = (["will"], pasts[:1]) if ahead is ours else (pasts[:1], ["will"])
        yield replaced("tense", 1.0, *tenses)


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


def _strength(modal: Modal) -> float:
    return min(_STRENGTH[job] for job in modal.jobs)
