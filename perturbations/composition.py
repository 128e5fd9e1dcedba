"""Compositions such as `typos+emoji`: several perturbations applied in order, reported as edits of the clean text."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate

from holdfast.errors import UserError
from holdfast.language.text import Span
from holdfast.perturbations.edits import Edit, Edits
from holdfast.perturbations.perturbation import Expectation, Perturbation, perturbations


@cache
def parts_of(name: str) -> tuple[Perturbation, ...]:
    """Return the perturbations joined by `+` in `name`, in order; usually one.

    Raises:
        UserError: If a part is unknown or empty, or appears twice (both would get the same seed).

    >>> [part.name for part in parts_of("typos+emoji")]
    ['typos', 'emoji']
    """
    names = [part.strip() for part in name.split("+")]
    for at, part in enumerate(names):
        if not part:
            raise UserError(f"missing perturbation next to '+' in '{name}'; write e.g. typos+emoji")
        if part in names[:at]:
            raise UserError(f"'{part}' appears twice in '{name}'; name it once, with a higher strength")
    return tuple(perturbations.get(part) for part in names)


def expectation(name: str) -> Expectation:
    """Return the expected effect on the answer: `changed` if any part of `name` changes the question.

    >>> expectation("typos+emoji")
    'invariant'
    """
    return "changed" if any(part.expects == "changed" for part in parts_of(name)) else "invariant"


def compose(first: Edits, second: Edits) -> Edits:
    """Combine two successive sets of edits into one.

    Edits that touch are merged; edits that cancel out are dropped.

    Args:
        first: Edits of the original text.
        second: Edits of `first.text`.

    Returns:
        Edits of `first.original` that produce `second.text`.

    >>> once = Edits("the cat sat", (Edit(4, "cat", "dog"),))
    >>> twice = Edits(once.text, (Edit(6, "g", "t"), Edit(11, "", "!")))
    >>> compose(once, twice).edits
    (Edit(position=4, removed='cat', inserted='dot'), Edit(position=11, removed='', inserted='!'))
    """
    if not first.edits:
        return second
    written = _inserted_spans(first)
    starts, ends = [start for start, _ in written], [end for _, end in written]
    shifts = [0, *accumulate(len(edit.inserted) - len(edit.removed) for edit in first.edits)]
    positions = [edit.position for edit in second.edits]
    edits = []
    for start, end in _merge_spans(written + _removed_spans(second)):
        before = start - shifts[bisect_left(ends, start)], end - shifts[bisect_right(starts, end)]
        within = second.edits[bisect_left(positions, start) : bisect_right(positions, end)]
        removed, inserted = first.original[slice(*before)], _apply_locally(within, second.original, start, end)
        if removed != inserted:
            edits.append(Edit(before[0], removed, inserted))
    return Edits(first.original, tuple(edits))


def _inserted_spans(edits: Edits) -> list[Span]:
    """Return the spans of the inserted pieces in the new text."""
    spans, shift = [], 0
    for edit in edits.edits:
        start = edit.position + shift
        spans.append((start, start + len(edit.inserted)))
        shift += len(edit.inserted) - len(edit.removed)
    return spans


def _removed_spans(edits: Edits) -> list[Span]:
    """Return the spans of the removed pieces in the old text."""
    return [(edit.position, edit.position + len(edit.removed)) for edit in edits.edits]


def _merge_spans(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, merging those that overlap or touch."""
    regions: list[Span] = []
    for start, end in sorted(spans):
        if regions and start <= regions[-1][1]:
            regions[-1] = regions[-1][0], max(end, regions[-1][1])
        else:
            regions.append((start, end))
    return regions


def _apply_locally(edits: Sequence[Edit], text: str, start: int, end: int) -> str:
    """Apply `edits`, which lie within `text[start:end]`, to that part of the text."""
    moved = [Edit(edit.position - start, edit.removed, edit.inserted) for edit in edits]
    return Edits(text[start:end], tuple(moved)).text
