"""Compares numbers, dates and times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.reading.fact_types import Facts, Finding, replaced
from holdfast.metrics.facts.reading.quantity import Quantity


def number_findings(pair: Compared) -> Iterator[Finding]:
    """Compare numbers, dates and times of which either side has some that the other lacks."""
    if not (pair.ours.quantities or pair.theirs.quantities):
        return
    mine, its = pair.quantities
    for kind in ("number", "date", "time"):
        lost, gained = ([one for one in side if one.kind == kind] for side in (mine, its))
        if lost and gained:
            same_value = kind == "number" and _bare(lost) & _bare(gained)
            kind_or_unit = "unit" if same_value else kind
            yield replaced(kind_or_unit, 1.0, [one.form for one in lost], [one.form for one in gained])
    kinds = [{one.kind for one in side} for side in (mine, its)]
    if not kinds[0] & kinds[1]:
        for one in mine:
            other = next((other for other in its if pair.stand_alike(one.key, other.key)), None)
            if other:
                yield replaced(one.kind, 1.0, [one.form], [other.form])
                break
    if pair.ours.quantities and pair.theirs.quantities and swapped_numbers(pair.ours, pair.theirs):
        sides = (tuple(one.form for one in side.quantities) for side in (pair.ours, pair.theirs))
        yield Finding("roles", 1.0, "roles of numbers", *sides)


def swapped_numbers(ours: Facts, theirs: Facts) -> bool:
    """Return whether two quantities swapped nouns (20 apples and 30 pears) or places in a score or ratio (2-1)."""
    if any(pair[::-1] in theirs.scores - ours.scores for pair in ours.scores - theirs.scores):
        return True
    mine, its = _bound(ours), _bound(theirs)
    common = mine.keys() & its.keys()
    return len(common) > 1 and any(
        mine[one] and its[one] and mine[one] != its[one] and its[one] in mine.values() and mine[one] in its.values()
        for one in common
    )


def _bound(facts: Facts) -> dict[str, str]:
    """Map each number to the word that follows it; "" if none does."""
    terms = [term for term in facts.order if term.kind != "relation"]
    found = {}
    for at, term in enumerate(terms):
        if term.kind == "number":
            follows = at + 1 < len(terms) and terms[at + 1].kind != "number"
            found[term.key] = terms[at + 1].key if follows else ""
    return found


def _bare(quantities: Sequence[Quantity]) -> set[str]:
    return {
        "-" * (one.count < 0) + ("".join(c for c in one.form if c.isdigit() or c in ".,") or one.form.split()[0])
        for one in quantities
    }
