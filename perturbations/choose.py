"""Random choice of how many edits to make, and where.

The number of edits is exactly what the strength asks for, as long as the text has enough eligible places.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice
from random import Random
from typing import TypeVar

from holdfast.language.marks import LONG, where
from holdfast.language.text import Span
from holdfast.perturbations.edits import Edits, Row

T = TypeVar("T")


def edit_count(strength: float, units: int) -> int:
    """Return the number of edits for `strength` among `units` characters or words: at least one unless strength is 0.

    >>> edit_count(0.1, 40), edit_count(0.001, 40), edit_count(0, 40), edit_count(0.5, 0)
    (4, 1, 0, 0)
    """
    return max(1, round(strength * units)) if strength > 0 and units else 0


def choose(places: Sequence[T], count: int, rng: Random) -> list[T]:
    """Return a uniform random sample of `count` places in their original order; all of them if there are fewer.

    >>> choose("abcdef", 3, Random(1))
    ['a', 'b', 'e']
    """
    if count >= len(places):
        return list(places)
    return [places[index] for index in sorted(rng.sample(range(len(places)), count))]


def wheel(options: Iterable[T]) -> list[T]:
    """Repeat at most 256 options up to a list of length 256, which a random byte can index: the fastest way to draw.

    >>> wheel("abc")[:5], len(wheel("abc"))
    (['a', 'b', 'c', 'a', 'b'], 256)
    """
    return [*islice(cycle(options), 256)]


def spin(wheels: Iterable[Sequence[T]], count: int, rng: Random) -> list[T]:
    """Draw one option from each of the first `count` wheels, using one random byte per wheel.

    >>> spin([wheel("abc"), wheel("12")], 2, Random(1))
    ['c', '1']
    """
    return [wheel[byte] for wheel, byte in zip(wheels, rng.randbytes(count), strict=False)]


def choose_where(size: int, count: int, rng: Random, allowed: Callable[[int], bool]) -> list[int]:
    """Return a uniform random sample of `count` allowed places below `size`, sorted; all of them if there are fewer.

    Places are drawn and tested one by one, so most of the text need not be examined.

    Args:
        size: Number of places.
        count: Number of places to choose.
        rng: The random generator.
        allowed: Predicate that tests whether a place may be chosen; called at most once per place.

    >>> choose_where(12, 3, Random(1), allowed=lambda place: place % 3 > 0)
    [1, 2, 7]
    """
    untried = list(range(size))
    chosen: list[int] = []
    while untried and len(chosen) < count:
        drawn, last = int(rng.random() * len(untried)), untried.pop()
        if drawn < len(untried):
            untried[drawn], last = last, untried[drawn]
        if allowed(last):
            chosen.append(last)
    return sorted(chosen)


def replace_where(
    text: str, spans: Sequence[Span], count: int, rng: Random, replacement: Callable[[int, int], str]
) -> Edits:
    """Replace up to `count` words, drawn and looked up one by one (see `choose_where`).

    Args:
        text: The text.
        spans: The words that may be replaced.
        count: Number of words to replace.
        rng: The random generator.
        replacement: Returns what replaces the word `text[start:end]`; "" keeps it.

    >>> digits = {(0, 3): "1", (8, 13): "3"}
    >>> replace_where("one two three", [(0, 3), (4, 7), (8, 13)], 2, Random(1), lambda *at: digits.get(at, "")).text
    '1 two 3'
    """
    edits: dict[int, Row] = {}

    def is_replaced(index: int) -> bool:
        start, end = spans[index]
        if other := replacement(start, end):
            edits[index] = start, text[start:end], other
        return bool(other)

    chosen = choose_where(len(spans), count, rng, is_replaced)
    return Edits(text, [edits[index] for index in chosen])


def choose_marked(marks: bytes, count: int, rng: Random) -> list[int]:
    """Return a uniform random sample of `count` marked places, sorted; all of them if there are fewer.

    >>> choose_marked(bytes([0, 1, 1] * 4), 3, Random(1))
    [4, 5, 7]
    """
    if len(marks) >= LONG:
        return _draw_in_bulk(marks, count, rng)
    possible = marks.count(1)
    if 2 * count > possible or 16 * possible < len(marks):
        return choose(where(marks), count, rng)
    return _draw_one_by_one(marks, possible, count, rng)


def choose_nonadjacent(preferred: bytes, allowed: bytes, count: int, rng: Random) -> list[int]:
    """Choose marked places like `choose_marked`, but no two next to each other, so that no edit undoes its neighbour.

    If the places are crowded, they are drawn from a largest non-adjacent subset, so the count is met whenever possible.

    Args:
        preferred: Marks of the places to use first.
        allowed: Marks of all permitted places, used only if the preferred ones don't suffice.
        count: Number of places to choose.
        rng: The random generator.

    >>> choose_nonadjacent(bytes([0, 1, 1] * 4), bytes([1] * 12), 2, Random(1))
    [5, 7]
    >>> choose_nonadjacent(bytes([0, 1, 0]), bytes([1, 1, 1]), 9, Random(1))
    [0, 2]
    """
    possible = preferred.count(1)
    if 4 * count <= possible > len(preferred) // 16:
        if len(preferred) >= LONG:
            return _draw_in_bulk(preferred, count, rng, nonadjacent=True)
        return _draw_one_by_one(preferred, possible, count, rng, nonadjacent=True)
    for candidates in (preferred, allowed):
        places = _leftmost_nonadjacent(where(candidates))
        if len(places) >= count:
            break
    return choose(places, count, rng)


def _draw_one_by_one(marks: bytes, possible: int, count: int, rng: Random, *, nonadjacent: bool = False) -> list[int]:
    """Draw places one by one, discarding unmarked and taken ones; `possible` must be well above `count`."""
    size = max(256, len(marks))  # a random byte is the fastest draw
    free = bytearray(marks.ljust(size + 1, b"\0"))  # the last byte represents both sides of the text
    chosen: list[int] = []
    while len(chosen) < count:
        draws = (count + 1) * size // possible + 1
        for place in rng.randbytes(draws) if size == 256 else [int(rng.random() * size) for _ in range(draws)]:
            if free[place]:
                free[place] = 0
                chosen.append(place)
                if nonadjacent:
                    free[place - 1] = free[place + 1] = 0
    del chosen[count:]
    chosen.sort()
    return chosen


def _draw_in_bulk(marks: bytes, count: int, rng: Random, *, nonadjacent: bool = False) -> list[int]:
    """Draw places in a long text with numpy, repeatedly drawing as many as are still missing."""
    import numpy as np

    places = np.flatnonzero(np.frombuffer(marks, np.bool_))
    if 2 * count > len(places):
        return choose(places.tolist(), count, rng)
    taken = np.zeros(len(places), np.bool_)
    touch = np.diff(places) == 1 if nonadjacent else np.False_
    while missing := count - int(np.count_nonzero(taken)):
        draws = np.frombuffer(rng.randbytes(4 * missing), "<u4").astype(np.uint64)
        taken[(draws * np.uint64(len(places))) >> np.uint64(32)] = True
        if nonadjacent:
            taken[1:] &= ~(taken[:-1] & touch)
    chosen: list[int] = places[np.flatnonzero(taken)].tolist()
    return chosen


def _leftmost_nonadjacent(places: Iterable[int]) -> list[int]:
    chosen: list[int] = []
    for place in places:
        if not chosen or place > chosen[-1] + 1:
            chosen.append(place)
    return chosen
