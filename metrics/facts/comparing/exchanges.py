"""Finds two words or phrases each of which is in the place of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import combinations
from typing import NamedTuple

from holdfast.metrics.facts.comparing.cases import is_order_free
from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.reading.fact_types import Facts, Finding

_LONGEST = 60
"""Segments with more terms are not searched."""

Row = Sequence[str]


class _Run(NamedTuple):
    """Terms that both groups have in a row: where they begin in either, and how many they are."""

    mine: int
    its: int
    length: int


def exchange_findings(pair: Compared) -> Iterator[Finding]:
    """Yield two phrases each of which is in the place of the other, and away from the content words beside it.

    Members of a list may be in any order; neighbours, too (flow rates, rates of flow; clauses around "and"), and nouns
    whose case is marked. What relates the two must be the same: a passive or "is shorter than" makes up for it.
    """
    ours, theirs = pair.rows
    if max(len(ours), len(theirs)) > _LONGEST or ours == theirs or pair.ours.passive != pair.theirs.passive:
        return
    links = {term.key for side in (pair.ours, pair.theirs) for term in side.order if term.kind == "relation"}
    runs = [run for run in _runs(ours, theirs) if not links.issuperset(ours[run.mine : run.mine + run.length])]
    for one, other in combinations(runs, 2):
        if one.its < other.its or _touch(one, other) or not _in_place(ours, theirs, one, other):
            continue
        if _reworded(pair, one, other) or _kept(ours, theirs, one, links) or _kept(ours, theirs, other, links):
            continue
        if _listed(pair.ours, one.mine, other.mine, one, other) or _listed(pair.theirs, one.its, other.its, one, other):
            continue
        heads = [
            next(key for key in reversed(ours[run.mine : run.mine + run.length]) if key not in links)
            for run in (one, other)
        ]
        if (heads[0] in pair.ours.numbers) != (heads[1] in pair.ours.numbers):
            continue  # at the station at 5, at 5 at the station
        if not is_order_free(pair.ours, pair.theirs, *heads):
            who, whom = (pair.ours.forms.get(key, key) for key in heads)
            yield Finding("exchanged", 1.0, f"roles {who} <-> {whom}", (who, whom), (whom, who))
            return


def _runs(ours: Row, theirs: Row) -> list[_Run]:
    """Return the longest runs of terms that both rows have in a row, of those that either has once."""
    once = {key for key, count in Counter(ours).items() if count == 1}
    once &= {key for key, count in Counter(theirs).items() if count == 1}
    places = {key: at for at, key in enumerate(theirs)}
    found: list[_Run] = []
    for at, key in enumerate(ours):
        if key in once:
            last = found[-1] if found else _Run(0, 0, 0)
            if last.length and (at, places[key]) == (last.mine + last.length, last.its + last.length):
                found[-1] = last._replace(length=last.length + 1)
            else:
                found.append(_Run(at, places[key], 1))
    return found


def _touch(one: _Run, other: _Run) -> bool:
    """Return whether nothing is between two runs, of which the second comes first in the perturbed group."""
    return one.mine + one.length == other.mine or other.its + other.length == one.its


def _in_place(ours: Row, theirs: Row, one: _Run, other: _Run) -> bool:
    """Return whether the word before or after is that of the other run, for both."""
    return all(
        ours[here.mine - 1] == theirs[there.its - 1]
        or ours[here.mine + here.length] == theirs[there.its + there.length]
        for here, there in ((one, other), (other, one))
    )


def _reworded(pair: Compared, one: _Run, other: _Run) -> bool:
    """Return whether other words are between the two runs: is taller than, is shorter than."""
    ours, theirs = pair.rows
    lost = pair.found.lost.intersection(ours[one.mine + one.length : other.mine])
    return bool(lost and pair.found.gained.intersection(theirs[other.its + other.length : one.its]))


def _kept(ours: Row, theirs: Row, run: _Run, links: Set[str]) -> bool:
    """Return whether the content word before or after a run is the same in both groups."""
    sides = []
    for row, at in ((ours, run.mine), (theirs, run.its)):
        before = next((key for key in reversed(row[:at]) if key not in links), "")
        after = next((key for key in row[at + run.length :] if key not in links), "")
        sides.append((before, after))
    return any(one and one == other for one, other in zip(*sides, strict=True))


def _listed(facts: Facts, start: int, other_start: int, one: _Run, other: _Run) -> bool:
    """Return whether both runs, given where they begin, are members of a list."""
    return all(
        any(term.listed for term in facts.order[at - 1 : at - 1 + run.length])
        for at, run in ((start, one), (other_start, other))
    )
