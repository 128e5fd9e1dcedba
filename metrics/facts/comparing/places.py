"""Compares what stands where: one word in the place of another, two that exchanged places, and the order of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from functools import lru_cache

from rapidfuzz.distance import LCSseq

from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.comparing.difference import is_slip
from holdfast.metrics.facts.reading.fact_types import Facts, Finding, Term, replaced
from holdfast.metrics.facts.reading.weighed_words import weight_of, words_of


def substitution_findings(pair: Compared) -> Iterator[Finding]:
    """Yield the weightiest word in the place of another: an open world, in which no list says what excludes what.

    It counts by how unlike the two words are.
    """
    best, found = 0.0, ("", "")
    for one, weight in weights_of(pair.ours, pair.found.lost - {each.key for each in pair.ours.literals}):
        for other, its in weights_of(pair.theirs, pair.found.gained - {each.key for each in pair.theirs.literals}):
            if one in pair.ours.name_keys and other in pair.theirs.name_keys:
                continue  # `name_findings` compares them
            forms = pair.ours.forms.get(one, one), pair.theirs.forms.get(other, other)
            if not stand_alike(pair, one, other) or is_slip(forms[0].lower(), forms[1].lower(), pair.language):
                continue
            strength = (weight * its) ** 0.5 * pair.unlike(one, other)
            if strength > best:
                best, found = strength, forms
    if best:
        yield replaced("word", best, [found[0]], [found[1]])


@lru_cache(maxsize=1 << 15)
def kept_share(ours: Facts, theirs: Facts, replaced: int) -> float:
    """Return the share of the words of two groups that both have in the same order (ROUGE-L), but for so
    many words that stand in each other's place; of all words, so that synonyms and another order count, too."""
    mine, its = ([word.key for word in words_of(side.text, side.language)] for side in (ours, theirs))
    total = (len(mine) + len(its)) / 2 - replaced
    return min(1.0, LCSseq.similarity(mine, its) / total) if total > 0 else 1.0


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


def stand_alike(pair: Compared, one: str, other: str) -> bool:
    """Return whether two terms are in the same place: the words before both are the same, or those after both."""
    ours, theirs = pair.rows
    mine = [at for at, key in enumerate(ours) if key == one]
    its = [at for at, key in enumerate(theirs) if key == other]
    return any(ours[i + step] == theirs[j + step] for i in mine for j in its for step in (-1, 1))


def weights_of(facts: Facts, keys: Set[str]) -> list[tuple[str, float]]:
    """Return keys with their weights, the heaviest first."""
    weights = _weights(facts)
    return sorted(((key, weights[key]) for key in keys), key=lambda each: (-each[1], each[0]))


@lru_cache(maxsize=1 << 15)
def _weights(facts: Facts) -> Mapping[str, float]:
    """Return the weight of each stem."""
    return {key: weight_of(facts.forms.get(key, key).lower(), facts.language) for key in facts.keys}
