"""Fast marking and choosing of places, compared with naive versions on short, medium and long texts."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from holdfast.language import marks as m
from holdfast.perturbations.choose import choose_marked, choose_nonadjacent, choose_where

SIZES = (0, 1, 7, 255, 256, 257, 1_000, m.LONG - 1, m.LONG, 5_000)


def some_marks(size: int, share: float = 0.7, seed: int = 0) -> bytes:
    rng = Random(seed)
    return bytes(rng.random() < share for _ in range(size))


def naive(holds: Callable[[int, int, int], bool]) -> Callable[[bytes], bytes]:
    """Return a function that marks each place where `holds(before, here, after)` is true."""
    return lambda marks: bytes(
        holds(*(marks[at] if 0 <= at < len(marks) else 0 for at in (place - 1, place, place + 1)))
        for place in range(len(marks))
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("fast", "slow"),
    [
        (m.run_starts, naive(lambda before, here, after: bool(here) and not before)),
        (m.run_ends, naive(lambda before, here, after: bool(here) and not after)),
        (m.followers, naive(lambda before, here, after: bool(here and before))),
        (m.inner, naive(lambda before, here, after: bool(before and here and after))),
        (m.between, naive(lambda before, here, after: bool(before and after))),
        (
            lambda marks: m.both(marks, some_marks(len(marks), 0.5, 1)),
            lambda marks: bytes(one & other for one, other in zip(marks, some_marks(len(marks), 0.5, 1), strict=True)),
        ),
        (
            lambda marks: m.select(some_marks(len(marks), 0.5, 1), marks),
            lambda marks: bytes(other for one, other in zip(marks, some_marks(len(marks), 0.5, 1), strict=True) if one),
        ),
    ],
    ids=["run_starts", "run_ends", "followers", "inner", "between", "both", "among"],
)
def test_combining_marks_matches_the_naive_version(
    size: int, fast: Callable[[bytes], bytes], slow: Callable[[bytes], bytes]
) -> None:
    marks = some_marks(size)
    assert fast(marks) == slow(marks)


@pytest.mark.parametrize("size", SIZES)
def test_listing_and_counting_marks_matches_the_naive_version(size: int) -> None:
    marks = some_marks(size)
    assert m.where(marks) == [place for place in range(size) if marks[place]]
    assert m.count_marked(marks) == sum(marks)
    starts, ends = m.where(m.run_starts(marks)), m.where(m.run_ends(marks))
    assert m.edges(marks) == [edge for start, end in zip(starts, ends, strict=True) for edge in (start, end + 1)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("share", [0.01, 0.2, 0.9])
@pytest.mark.parametrize("requested", [0, 0.05, 0.4, 0.8, 1.5])
def test_exactly_the_requested_number_of_places_is_chosen(size: int, share: float, requested: float) -> None:
    marks = some_marks(size, share)
    possible = sum(marks)
    count = round(requested * possible)
    chosen = choose_marked(marks, count, Random(1))
    assert chosen == sorted(set(chosen))
    assert all(marks[place] for place in chosen)
    assert len(chosen) == min(count, possible)
    assert len(choose_where(size, count, Random(1), lambda place: bool(marks[place]))) == min(count, possible)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("requested", [0, 0.05, 0.25, 0.5])
def test_nonadjacent_places_reach_the_requested_number(size: int, requested: float) -> None:
    marks = some_marks(size)
    runs = [end - start for start, end in zip(m.edges(marks)[::2], m.edges(marks)[1::2], strict=True)]
    count, room = round(requested * sum(marks)), sum((length + 1) // 2 for length in runs)
    chosen = choose_nonadjacent(marks, marks, count, Random(1))
    assert all(marks[place] for place in chosen)
    assert all(later > place + 1 for place, later in pairwise(chosen))
    assert len(chosen) == min(count, room)


@pytest.mark.parametrize("size", [40, 400, m.LONG])
def test_marked_places_are_chosen_uniformly(size: int) -> None:
    marks = some_marks(40, 0.5) + bytes(size - 40) if size < m.LONG else some_marks(40, 0.5) * (size // 40)
    rng, times = Random(0), 60_000 // size + 400
    count = max(1, sum(marks) // 5)
    seen = Counter(place for _ in range(times) for place in choose_marked(marks, count, rng))
    expected = times * count / sum(marks)
    spread = sum((seen[place] - expected) ** 2 for place in range(size) if marks[place]) / expected / sum(marks)
    assert 0.3 < spread < 1.7  # uniform sampling gives a chi-square per place of about 1 - 1/5
