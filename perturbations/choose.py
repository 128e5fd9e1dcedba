"""How many edits to make, and where: exactly as many as the strength asks for, wherever the text allows them."""

from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice
from random import Random
from typing import TypeVar

from holdfast.language.marks import LONG, where

T = TypeVar("T")


def edit_count(strength: float, units: int) -> int:
    """How many edits `strength` asks for among `units` characters or words: at least one, unless it is 0.

    >>> edit_count(0.1, 40), edit_count(0.001, 40), edit_count(0, 40), edit_count(0.5, 0)
    (4, 1, 0, 0)
    """
    return max(1, round(strength * units)) if strength > 0 and units else 0


def choose(places: Sequence[T], count: int, rng: Random) -> list[T]:
    """`count` of `places` (all, where there are fewer), each as likely as the others, in their order.

    >>> choose("abcdef", 3, Random(1))
    ['a', 'b', 'e']
    """
    if count >= len(places):
        return list(places)
    return [places[index] for index in sorted(rng.sample(range(len(places)), count))]


def wheel(options: Iterable[T]) -> list[T]:
    """At most 256 `options` in turn, 256 in all, so that a random byte points at one: the quickest draw.

    >>> wheel("abc")[:5], len(wheel("abc"))
    (['a', 'b', 'c', 'a', 'b'], 256)
    """
    return [*islice(cycle(options), 256)]


def spin(wheels: Iterable[Sequence[T]], count: int, rng: Random) -> list[T]:
    """What `count` of the wheels come to point at, one random byte for each.

    >>> spin([wheel("abc"), wheel("12")], 2, Random(1))
    ['c', '1']
    """
    return [wheel[byte] for wheel, byte in zip(wheels, rng.randbytes(count), strict=False)]


def choose_where(size: int, count: int, rng: Random, allowed: Callable[[int], bool]) -> list[int]:
    """`count` of the allowed places below `size` (all, where there are fewer), each as likely as the others, sorted.

    They are drawn and tried one by one, which mostly spares looking at the whole text.

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


def choose_marked(marks: bytes, count: int, rng: Random) -> list[int]:
    """`count` of the marked places (all, where there are fewer), each as likely as the others, sorted.

    >>> choose_marked(bytes([0, 1, 1] * 4), 3, Random(1))
    [4, 5, 7]
    """
    if len(marks) >= LONG:
        return _drawn_at_once(marks, count, rng)
    possible = marks.count(1)
    if 2 * count > possible or 16 * possible < len(marks):
        return choose(where(marks), count, rng)
    return _drawn(marks, possible, count, rng)


def choose_apart(preferred: bytes, allowed: bytes, count: int, rng: Random) -> list[int]:
    """Like `choose_marked`, but no two places are neighbours (no edit undoes the next), and preferred ones go first.

    In a crowd the places are drawn from a largest set of allowed ones that are apart, so that the count is as exact as
    it can be.

    >>> choose_apart(bytes([0, 1, 1] * 4), bytes([1] * 12), 2, Random(1))
    [5, 7]
    >>> choose_apart(bytes([0, 1, 0]), bytes([1, 1, 1]), 9, Random(1))
    [0, 2]
    """
    possible = preferred.count(1)
    if 4 * count <= possible > len(preferred) // 16:
        if len(preferred) >= LONG:
            return _drawn_at_once(preferred, count, rng, apart=True)
        return _drawn(preferred, possible, count, rng, apart=True)
    for wanted in (preferred, allowed):
        places = _leftmost_apart(where(wanted))
        if len(places) >= count:
            break
    return choose(places, count, rng)


def _drawn(marks: bytes, possible: int, count: int, rng: Random, *, apart: bool = False) -> list[int]:
    """Places are drawn one by one, in vain where they are not marked or taken; there must be many to spare."""
    size = max(256, len(marks))  # a random byte is the quickest draw
    free = bytearray(marks.ljust(size + 1, b"\0"))  # its last byte stands for both sides of the text
    chosen: list[int] = []
    while len(chosen) < count:
        draws = (count + 1) * size // possible + 1
        for place in rng.randbytes(draws) if size == 256 else [int(rng.random() * size) for _ in range(draws)]:
            if free[place]:
                free[place] = 0
                chosen.append(place)
                if apart:
                    free[place - 1] = free[place + 1] = 0
    del chosen[count:]
    chosen.sort()
    return chosen


def _drawn_at_once(marks: bytes, count: int, rng: Random, *, apart: bool = False) -> list[int]:
    """The same for a long text: as many as are still wanting are drawn at once, until none is."""
    import numpy as np

    places = np.flatnonzero(np.frombuffer(marks, np.bool_))
    if 2 * count > len(places):
        return choose(places.tolist(), count, rng)
    taken = np.zeros(len(places), np.bool_)
    touch = np.diff(places) == 1 if apart else np.False_
    while wanting := count - int(np.count_nonzero(taken)):
        draws = np.frombuffer(rng.randbytes(4 * wanting), "<u4").astype(np.uint64)
        taken[(draws * np.uint64(len(places))) >> np.uint64(32)] = True
        if apart:
            taken[1:] &= ~(taken[:-1] & touch)
    chosen: list[int] = places[np.flatnonzero(taken)].tolist()
    return chosen


def _leftmost_apart(places: Iterable[int]) -> list[int]:
    apart: list[int] = []
    for place in places:
        if not apart or place > apart[-1] + 1:
            apart.append(place)
    return apart
