"""How many edits to make, and where: exactly as many as the strength asks for, wherever the text allows them."""

from collections.abc import Sequence
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


def choose_apart(
    places: Sequence[int], count: int, rng: Random, preferred: Sequence[int] | None = None
) -> list[int]:
    """`count` of the sorted `places`, no two of them neighbours, so that no edit can undo or swallow the next.

    While there is plenty of room they are drawn from `preferred` (some of the places; by default all). In a crowd
    they are drawn from the largest set of places that are apart, so that the count is as exact as the text allows.

    >>> choose_apart(range(10), 3, Random(1))
    [1, 4, 8]
    >>> choose_apart([0, 1, 2], 9, Random(1))
    [0, 2]
    """
    pool = places if preferred is None else preferred
    chosen: set[int] = set()
    for _ in range(4 * count if len(pool) > 3 * count else 0):
        place = pool[int(rng.random() * len(pool))]
        if chosen.isdisjoint((place - 1, place, place + 1)):
            chosen.add(place)
            if len(chosen) == count:
                return sorted(chosen)
    apart: list[int] = []
    for place in places:
        if not apart or place > apart[-1] + 1:
            apart.append(place)
    return choose(apart, count, rng)
