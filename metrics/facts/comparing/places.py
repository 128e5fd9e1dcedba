"""Compares what stands where: one word in the place of another, two that exchanged places, and the order of all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from rapidfuzz.distance import LCSseq

from holdfast.language.spelling import is_slip
from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.reading.fact_types import Facts, Finding, Term, replaced
from holdfast.metrics.facts.reading.tokens import without_list_marker
from holdfast.metrics.facts.reading.weighed_words import weights_of, words_of


def substitution_findings(pair: Compared) -> Iterator[Finding]:
    """Yield the weightiest word in the place of another: an open world, in which no list says what excludes what.

    It counts by how unlike the two words are.
    """
    best, found = 0.0, ("", "")
    literals = {each.key for side in (pair.ours, pair.theirs) for each in side.literals}
    lost, gained = pair.found.lost - literals, pair.found.gained - literals
    if not (lost and gained):
        return
    mine, its = weights_of(pair.ours), weights_of(pair.theirs)
    for one, other in pair.in_place(lost, gained):
        if one in pair.ours.name_keys and other in pair.theirs.name_keys:
            continue  # `name_findings` compares them
        most = (mine[one] * its[other]) ** 0.5
        forms = pair.ours.forms.get(one, one), pair.theirs.forms.get(other, other)
        if most > best and not is_slip(forms[0].lower(), forms[1].lower(), pair.language):
            strength = most * pair.unlike(one, other)
            if strength > best:
                best, found = strength, forms
    if best:
        yield replaced("word", best, [found[0]], [found[1]])


@lru_cache(maxsize=1 << 15)
def kept_share(ours: Facts, theirs: Facts, replaced: int) -> float:
    """Return the share of the words of two groups that both have in the same order (ROUGE-L), but for so
    many words that stand in each other's place; of all words, so that synonyms and another order count, too."""
    mine, its = _row(ours), _row(theirs)
    total = (len(mine) + len(its)) / 2 - replaced
    return min(1.0, LCSseq.similarity(mine, its) / total) if total > 0 else 1.0


@lru_cache(maxsize=1 << 15)
def _row(facts: Facts) -> list[str]:
    return [word.key for word in words_of(without_list_marker(facts.text), facts.language)]


def rewritten_findings(pair: Compared) -> Iterator[Finding]:
    """Yield the share of the words that the two groups don't have in the same order: 1 - ROUGE-L."""
    if (kept := kept_share(pair.ours, pair.theirs, 0)) < 1.0:
        yield Finding("rewritten", 1.0 - kept, "")


def moved_findings(pair: Compared) -> Iterator[Finding]:
    """Yield the share of the common words that are in another order, times the share of words that are common: the same
    words in another order may say something else."""
    if pair.found.opposites or pair.ours.passive != pair.theirs.passive:
        return  # which may make up for it: "is taller", "is shorter"
    alike = dict(pair.found.alike)
    mine = [term.key for term in pair.ours.order if _has_place(term)]
    its = [alike.get(term.key, term.key) for term in pair.theirs.order if _has_place(term)]
    common = LCSseq.similarity(sorted(mine), sorted(its))
    if common > 1 and (moved := common - LCSseq.similarity(mine, its)):
        yield Finding("moved", moved / max(len(mine), len(its)), "order of the words")


def _has_place(term: Term) -> bool:
    """Return whether the place of a term matters; members of a list may be in any order."""
    return term.kind != "relation" and not term.listed
