"""Several perturbations as one, `typos+emoji`: applied in order, reported as edits of the clean text."""

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
    """The perturbations that `name` joins by `+`, in order; mostly one.

    Raises UserError for a name that is not registered, and for one that stands twice: both would have one seed.

    >>> [part.name for part in parts_of("typos+emoji")]
    ['typos', 'emoji']
    """
    names = [part.strip() for part in name.split("+")]
    for at, part in enumerate(names):
        if not part:
            raise UserError(f"nothing stands beside a '+' in '{name}'; write e.g. typos+emoji")
        if part in names[:at]:
            raise UserError(f"'{part}' stands twice in '{name}'; name it once, with a higher strength")
    return tuple(perturbations.get(part) for part in names)


def expectation(name: str) -> Expectation:
    """What should become of the answer: `changed` if any part of `name` changes what is asked.

    >>> expectation("typos+emoji")
    'invariant'
    """
    return "changed" if any(part.expects == "changed" for part in parts_of(name)) else "invariant"


def compose(first: Edits, second: Edits) -> Edits:
    """`second`, which was made to `first.text`, and `first` in one, as edits of `first.original`.

    Edits that meet become one; one that undoes another leaves nothing.

    >>> once = Edits("the cat sat", (Edit(4, "cat", "dog"),))
    >>> twice = Edits(once.text, (Edit(6, "g", "t"), Edit(11, "", "!")))
    >>> compose(once, twice).edits
    (Edit(position=4, removed='cat', inserted='dot'), Edit(position=11, removed='', inserted='!'))
    """
    if not first.edits:
        return second
    written = _written(first)
    starts, ends = [start for start, _ in written], [end for _, end in written]
    shifts = [0, *accumulate(len(edit.inserted) - len(edit.removed) for edit in first.edits)]
    positions = [edit.position for edit in second.edits]
    edits = []
    for start, end in _regions(written + _replaced(second)):
        before = start - shifts[bisect_left(ends, start)], end - shifts[bisect_right(starts, end)]
        within = second.edits[bisect_left(positions, start) : bisect_right(positions, end)]
        removed, inserted = first.original[slice(*before)], _applied(within, second.original, start, end)
        if removed != inserted:
            edits.append(Edit(before[0], removed, inserted))
    return Edits(first.original, tuple(edits))


def _written(edits: Edits) -> list[Span]:
    """Where in the new text the inserted pieces stand."""
    spans, shift = [], 0
    for edit in edits.edits:
        start = edit.position + shift
        spans.append((start, start + len(edit.inserted)))
        shift += len(edit.inserted) - len(edit.removed)
    return spans


def _replaced(edits: Edits) -> list[Span]:
    """Where in the old text the removed pieces stood."""
    return [(edit.position, edit.position + len(edit.removed)) for edit in edits.edits]


def _regions(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that overlap or touch as one."""
    regions: list[Span] = []
    for start, end in sorted(spans):
        if regions and start <= regions[-1][1]:
            regions[-1] = regions[-1][0], max(end, regions[-1][1])
        else:
            regions.append((start, end))
    return regions


def _applied(edits: Sequence[Edit], text: str, start: int, end: int) -> str:
    """What `edits`, which lie in `text[start:end]`, make of it."""
    moved = [Edit(edit.position - start, edit.removed, edit.inserted) for edit in edits]
    return Edits(text[start:end], tuple(moved)).text
