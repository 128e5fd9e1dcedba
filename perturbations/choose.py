"""How many edits to make, and where: exactly as many as the strength asks for, wherever the text allows them."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import TypeVar

from holdfast.perturbations.marks import where

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


def choose_where(size: int, count: int, rng: Random, allowed: Callable[[int], bool]) -> list[int]:
    """`count` of the allowed places below `size`, sorted; all of them, where there are fewer.

    While there is room, places are drawn and tried, which spares looking at the whole text.

    >>> choose_where(12, 3, Random(1), allowed=lambda place: place % 3 > 0)
    [1, 4, 7]
    """
    chosen: set[int] = set()
    for _ in range(10 * count if size > 6 * count else 0):
        place = int(rng.random() * size)
        if place not in chosen and allowed(place):
            chosen.add(place)
            if len(chosen) == count:
                return sorted(chosen)
    return choose([*filter(allowed, range(size))], count, rng)


def choose_marked(marks: bytes, count: int, rng: Random) -> list[int]:
    """`count` of the marked places (all, where there are fewer), each as likely as the others, sorted.

    Where they are many, places are drawn and tried, which spares listing them.

    >>> choose_marked(bytes([0, 1, 1] * 4), 3, Random(1))
    [1, 5, 10]
    """
    size = len(marks)
    possible = marks.count(1)
    if 2 * count > possible or 16 * possible < size:
        return choose(where(marks), count, rng)
    chosen: set[int] = set()
    draw = rng.random
    while len(chosen) < count:
        place = int(draw() * size)
        if marks[place]:
            chosen.add(place)
    return sorted(chosen)


def choose_apart(preferred: bytes, allowed: bytes, count: int, rng: Random) -> list[int]:
    """Like `choose_marked`, but no two places are neighbours (no edit undoes the next), and preferred ones go first.

    In a crowd the places are drawn from a largest set of allowed ones that are apart, so that the count is as exact as
    it can be.

    >>> choose_apart(bytes([0, 1, 1] * 4), bytes([1] * 12), 2, Random(1))
    [1, 10]
    >>> choose_apart(bytes([0, 1, 0]), bytes([1, 1, 1]), 9, Random(1))
    [0, 2]
    """
    size = len(preferred)
    if 4 * count <= preferred.count(1) > size // 16:
        free = bytearray(preferred) + b"\0"  # its last byte stands for both sides of the text
        chosen: list[int] = []
        draw = rng.random
        while len(chosen) < count:
            place = int(draw() * size)
            if free[place]:
                free[place - 1] = free[place] = free[place + 1] = 0
                chosen.append(place)
        return sorted(chosen)
    for wanted in (preferred, allowed):
        apart = _leftmost_apart(where(wanted))
        if len(apart) >= count:
            break
    return choose(apart, count, rng)


def _leftmost_apart(places: Iterable[int]) -> list[int]:
    apart: list[int] = []
    for place in places:
        if not apart or place > apart[-1] + 1:
            apart.append(place)
    return apart
