"""Compares the words of two groups of segments: what was left out, added or put in place of something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from functools import lru_cache

import numpy as np

from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.reading.answer import Answer
from holdfast.metrics.facts.reading.fact_types import Facts, Finding
from holdfast.metrics.facts.reading.quantity import Quantity
from holdfast.metrics.facts.reading.weighed_words import Worded, weights_of


def coverage_findings(pair: Compared) -> Iterator[Finding]:
    """Yield what one group says and the other answer doesn't: the share of its weight that is left out or added, in
    excess of what stands in its place."""
    mine, its = pair.quantities
    lost = _weight(pair.ours, pair.lost) + sum(_is_said(one) and pair.after.lacks(one) for one in mine)
    gained = _weight(pair.theirs, pair.gained) + sum(_is_said(one) and pair.before.lacks(one) for one in its)
    if lost > gained and (share := _share(pair.parts[0], pair.after, gained)):
        words = _forms(pair.ours, pair.lost, mine)
        yield Finding("one-sided", share, f"omission of {' '.join(words)}", words)
    elif gained > lost and (share := _share(pair.parts[1], pair.before, lost)):
        words = _forms(pair.theirs, pair.gained, its)
        yield Finding("one-sided", share, f"addition of {' '.join(words)}", (), words)


def _share(parts: Sequence[Facts], other: Answer, instead: float) -> float:
    """Return the largest share of the weight of a segment that the other answer lacks, in excess of what stands in its
    place."""
    found = 0.0
    for facts in parts:
        missing = other.missing(facts.keys - {one.key for one in facts.literals})
        lost = _weight(facts, missing) + sum(_is_said(one) and other.lacks(one) for one in facts.quantities)
        found = max(found, (lost - instead) / max(lost, _total(facts), 1e-9))
    return found


def unlike_findings(pair: Compared) -> Iterator[Finding]:
    """Compare words without vectors: for each side, the square root of the share of its weight that the other answer
    has no word for."""
    lost, gained = (_unmatched(*side) for side in ((pair.ours, pair.lost), (pair.theirs, pair.gained)))
    yield from _worded_apart(lost, gained, _forms(pair.ours, pair.lost, ()), _forms(pair.theirs, pair.gained, ()))


def _unmatched(facts: Facts, keys: Set[str]) -> float:
    return float((_weight(facts, keys) / _total(facts)) ** 0.5) if keys else 0.0


def vector_findings(
    ours: Sequence[Worded], theirs: Sequence[Worded], before: Worded, after: Worded
) -> Iterator[Finding]:
    """Compare words by their contextual vectors: the share of either group without a near word in the other answer.

    For each side, the strength is the largest of its segments' sqrt(sum_w r_w d_w^2 / sum_w r_w), where r_w is the
    weight of a word and d_w its distance from the nearest word of the other answer.

    Args:
        ours: The words of each segment of the clean group.
        theirs: The words of each segment of the perturbed group.
        before: All words of the clean answer.
        after: All words of the perturbed answer.
    """
    lost, gained = max(_unlike(each, after) for each in ours), max(_unlike(each, before) for each in theirs)
    words = (tuple(word.form for each in side for word in each.words) for side in (ours, theirs))
    yield from _worded_apart(lost, gained, *words)


def _worded_apart(lost: float, gained: float, clean: tuple[str, ...], perturbed: tuple[str, ...]) -> Iterator[Finding]:
    """Yield how far the words of either group are from the other answer."""
    yield Finding("wording", lost, "", clean)
    yield Finding("wording", gained, "", (), perturbed)


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
    return sum(weights_of(facts).values()) + len(facts.quantities)


def _weight(facts: Facts, keys: Set[str]) -> float:
    return sum(map(weights_of(facts).__getitem__, keys))


def _forms(facts: Facts, keys: Set[str], numbers: Sequence[Quantity]) -> tuple[str, ...]:
    words = [facts.forms.get(term.key, term.key) for term in facts.order if term.key in keys]
    return tuple(dict.fromkeys([*words, *(one.form for one in numbers)]))
