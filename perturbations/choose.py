"""How many edits to make, and where: exactly as many as the strength asks for, wherever the text allows them."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import TypeVar

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


def choose_apart(
    size: int, count: int, rng: Random, allowed: Callable[[int], bool], preferred: Callable[[int], bool]
) -> list[int]:
    """Like `choose_where`, but no two places are neighbours (no edit undoes the next), and preferred ones go first.

    In a crowd the places are drawn from a largest set of allowed ones that are apart, so that the count is as exact as
    it can be.

    >>> choose_apart(12, 3, Random(1), allowed=lambda place: True, preferred=lambda place: place % 3 > 0)
    [1, 4, 7]
    >>> choose_apart(3, 9, Random(1), allowed=lambda place: True, preferred=lambda place: place == 1)
    [0, 2]
    """
    chosen: set[int] = set()
    for _ in range(10 * count if size > 6 * count else 0):
        place = int(rng.random() * size)
        if preferred(place) and chosen.isdisjoint((place - 1, place, place + 1)):
            chosen.add(place)
            if len(chosen) == count:
                return sorted(chosen)
    for wanted in (preferred, allowed):
        apart = _leftmost_apart(filter(wanted, range(size)))
        if len(apart) >= count:
            break
    return choose(apart, count, rng)


def _leftmost_apart(places: Iterable[int]) -> list[int]:
    apart: list[int] = []
    for place in places:
        if not apart or place > apart[-1] + 1:
            apart.append(place)
    return apart
