"""Compares certainty, obligation and exclusivity: must, should, may, might, only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.comparing.difference import Difference
from holdfast.metrics.facts.reading.fact_types import Facts, Finding, Modal, replaced

_STRENGTH = {"must": 3.0, "will": 3.0, "should": 2.2, "probably": 2.0, "may": 1.0, "maybe": 1.0, "free": 1.0}
"""How strong a commitment each job expresses."""

_RANGE = 2.0
"""How far apart the strongest and the weakest are."""


def modality_findings(pair: Compared) -> Iterator[Finding]:
    """Compare certainty, obligation and exclusivity."""
    if pair.ours.modals or pair.theirs.modals:
        yield from _modals(pair)
    ours, theirs = pair.ours, pair.theirs
    if bool(ours.only) != bool(theirs.only) and ours.negations == theirs.negations:  # "not unless" means the same
        yield Finding("only", 1.0, f"quantifier only {'lost' if ours.only else 'added'}")


def _modals(pair: Compared) -> Iterator[Finding]:
    """Compare modals (must, should, may, ...) of one verb. If either side has a negation, "may", "can" and "must" all
    forbid."""
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


def _left(facts: Facts, others: Facts) -> Sequence[Modal]:
    """Return the modals that share no job with any modal of the other side."""
    return [one for one in facts.modals if not any(one.jobs & other.jobs for other in others.modals)]


def _of_one_verb(one: Modal, other: Modal, found: Difference) -> bool:
    """Return whether two modals may apply to the same verb, as far as their verbs are known."""
    known = one.head and other.head and one.head not in found.lost and other.head not in found.gained
    return not known or one.head == other.head or (other.head, one.head) in found.alike


def _strength(modal: Modal) -> float:
    return min(_STRENGTH[job] for job in modal.jobs)
