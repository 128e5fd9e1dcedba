"""Compares the words of two groups of segments: what was left out, added or put in place of something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from rapidfuzz.distance import LCSseq

from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.comparing.difference import is_slip
from holdfast.metrics.facts.reading.fact_types import Facts, Finding, Term, replaced
from holdfast.metrics.facts.reading.quantity import Quantity
from holdfast.metrics.facts.reading.weighed_words import Word, weight_of

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Worded:
    """The words of a text (n) and their contextual vectors (n, d), of length one, or zero where the encoder knows
    nothing."""

    words: Sequence[Word]
    vectors: Array

    def __add__(self, other: Worded) -> Worded:
        return Worded((*self.words, *other.words), np.concatenate([self.vectors, other.vectors]))


def coverage_findings(pair: Compared) -> Iterator[Finding]:
    """Yield what one group says and the other answer doesn't: the share of its weight that is left out or added, in
    excess of what stands in its place."""
    mine, its = pair.quantities
    lost = _weight(pair.ours, pair.lost) + sum(_is_said(one) and pair.after.lacks(one) for one in mine)
    gained = _weight(pair.theirs, pair.gained) + sum(_is_said(one) and pair.before.lacks(one) for one in its)
    if lost > gained:
        words = _forms(pair.ours, pair.lost, mine)
        share = (lost - gained) / max(lost, _total(pair.ours))
        yield Finding("one-sided", share, f"omission of {' '.join(words)}", words)
    elif gained > lost:
        words = _forms(pair.theirs, pair.gained, its)
        share = (gained - lost) / max(gained, _total(pair.theirs))
        yield Finding("one-sided", share, f"addition of {' '.join(words)}", (), words)


def moved_findings(pair: Compared) -> Iterator[Finding]:
    """Yield the share of the common words that are in another order, times the share of words that are common: the same
    words in another order may say something else."""
    alike = dict(pair.found.alike)
    mine = [term.key for term in pair.ours.order if _has_place(term)]
    its = [alike.get(term.key, term.key) for term in pair.theirs.order if _has_place(term)]
    common = LCSseq.similarity(sorted(mine), sorted(its))
    if common > 1 and (moved := common - LCSseq.similarity(mine, its)):
        yield Finding("moved", moved / max(len(mine), len(its)), "order of the words")


def _has_place(term: Term) -> bool:
    """Return whether the place of a term matters; members of a list may be in any order."""
    return term.kind != "relation" and not term.listed


def substitution_findings(pair: Compared) -> Iterator[Finding]:
    """Yield the weightiest word in the place of another: an open world, in which no list says what excludes what."""
    best, found = 0.0, None
    lost, gained = _by_weight(pair.ours, pair.lost), _by_weight(pair.theirs, pair.gained)
    for heavy, one in lost:
        for weight, other in gained:
            if (heavy * weight) ** 0.5 <= best:
                break
            if one in pair.ours.name_keys and other in pair.theirs.name_keys:
                continue  # `name_findings` compares them
            forms = pair.ours.forms.get(one, one), pair.theirs.forms.get(other, other)
            if stand_alike(pair, one, other) and not is_slip(forms[0].lower(), forms[1].lower(), pair.language):
                best, found = (heavy * weight) ** 0.5, forms
    if found:
        yield replaced("word", best, [found[0]], [found[1]])


def _by_weight(facts: Facts, keys: Set[str]) -> list[tuple[float, str]]:
    """Return keys with their weights, the heaviest first."""
    weights = _weights(facts)
    return sorted(((weights[key], key) for key in keys), reverse=True)


def unlike_findings(pair: Compared) -> Iterator[Finding]:
    """Compare words without vectors: for each side, the square root of the share of its weight that the other answer
    has no word for."""
    if lost := _weight(pair.ours, pair.lost):
        yield Finding("wording", (lost / _total(pair.ours)) ** 0.5, "", _forms(pair.ours, pair.lost, ()))
    if gained := _weight(pair.theirs, pair.gained):
        yield Finding("wording", (gained / _total(pair.theirs)) ** 0.5, "", (), _forms(pair.theirs, pair.gained, ()))


def stand_alike(pair: Compared, one: str, other: str) -> bool:
    """Return whether two terms are in the same place: the words before both are the same, or those after both."""
    ours, theirs = pair.rows
    mine = [at for at, key in enumerate(ours) if key == one]
    its = [at for at, key in enumerate(theirs) if key == other]
    return any(ours[i + step] == theirs[j + step] for i in mine for j in its for step in (-1, 1))


def vector_findings(ours: Worded, theirs: Worded, before: Worded, after: Worded) -> Iterator[Finding]:
    """Compare words by their contextual vectors: the share of either group without a near word in the other answer.

    For each side, the strength is sqrt(sum_w r_w d_w^2 / sum_w r_w), where r_w is the weight of a word and d_w its
    distance from the nearest word of the other answer.

    Args:
        ours: The words of the clean group.
        theirs: The words of the perturbed group.
        before: All words of the clean answer.
        after: All words of the perturbed answer.
    """
    if lost := _unlike(ours, after):
        yield Finding("wording", lost, "", tuple(word.form for word in ours.words))
    if gained := _unlike(theirs, before):
        yield Finding("wording", gained, "", (), tuple(word.form for word in theirs.words))


def _unlike(some: Worded, others: Worded) -> float:
    if not some.words:
        return 0.0
    weights = np.array([word.weight for word in some.words])
    distances = np.ones(len(some.words))
    if others.words:
        distances -= (some.vectors @ others.vectors.T).max(1).clip(0.0, 1.0)
    known = {word.key for word in others.words}
    for i in np.flatnonzero(~some.vectors.any(1)):
        distances[i] = float(some.words[i].key not in known)
    return float(np.sqrt((weights * distances**2).sum() / weights.sum()))


def _is_said(one: Quantity) -> bool:
    return not (one.loose or one.implied)


@lru_cache(maxsize=1 << 15)
def _total(facts: Facts) -> float:
    """Return the weight of all words and numbers of a group."""
    return sum(_weights(facts).values()) + len(facts.quantities)


def _weight(facts: Facts, keys: Set[str]) -> float:
    return sum(map(_weights(facts).__getitem__, keys))


@lru_cache(maxsize=1 << 15)
def _weights(facts: Facts) -> Mapping[str, float]:
    """Return the weight of each stem."""
    return {key: weight_of(facts.forms.get(key, key).lower(), facts.language) for key in facts.keys}


def _forms(facts: Facts, keys: Set[str], numbers: Sequence[Quantity]) -> tuple[str, ...]:
    words = [facts.forms.get(term.key, term.key) for term in facts.order if term.key in keys]
    return tuple(dict.fromkeys([*words, *(one.form for one in numbers)]))
