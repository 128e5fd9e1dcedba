"""Marks: one byte for each place of a text, 1 where something holds; made, combined and counted at the speed of C.

Big integers, or numpy's arrays for a long text, are only a way to shift and combine all bytes of a text at once.
"""

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

LONG = 2_000  # characters from which on arrays are faster


class CharacterClass:
    """A kind of character (or grapheme cluster): says of every place of a text whether it is of that kind.

    >>> list(CharacterClass(str.isupper).marks("A b C"))
    [1, 0, 0, 0, 1]
    """

    def __init__(self, holds: Callable[[str], bool]) -> None:
        self._holds = holds
        self._ascii = bytes(code < 128 and holds(chr(code)) for code in range(256))

    def marks(self, characters: Sequence[str]) -> bytes:
        """The marks on a text, or on a list of clusters."""
        if isinstance(characters, str) and characters.isascii():
            return characters.encode("ascii").translate(self._ascii)
        return bytes(map(self._holds, characters))


def where(marks: bytes) -> list[int]:
    """The marked places.

    >>> where(bytes([0, 1, 1, 0, 1]))
    [1, 2, 4]
    """
    if len(marks) < LONG:
        return [*compress(range(len(marks)), marks)]
    import numpy as np

    places: list[int] = np.flatnonzero(np.frombuffer(marks, np.bool_)).tolist()
    return places


def count_marked(marks: bytes) -> int:
    """How many places are marked."""
    if len(marks) < LONG:
        return marks.count(1)
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(marks, np.bool_)))


def _beside(marks: bytes) -> tuple[Any, Any, Any]:
    """What is marked before, at and after each place; the first and the last may hold more, outside the text."""
    if len(marks) < LONG:
        bits = int.from_bytes(marks, "big")
        return bits >> 8, bits, bits << 8
    import numpy as np

    padded = np.frombuffer(b"\0" + marks + b"\0", np.uint8)
    return padded[:-2], padded[1:-1], padded[2:]


def _marks(bits: Any, size: int) -> bytes:
    made: bytes = bits.to_bytes(size, "big") if isinstance(bits, int) else bits.tobytes()
    return made


def run_starts(marks: bytes) -> bytes:
    """The first of each run of marked places.

    >>> list(run_starts(bytes([1, 1, 0, 1, 1, 1])))
    [1, 0, 0, 1, 0, 0]
    """
    before, here, _ = _beside(marks)
    return _marks(here & ~before, len(marks))


def run_ends(marks: bytes) -> bytes:
    """The last of each run of marked places.

    >>> list(run_ends(bytes([1, 1, 0, 1, 1, 1])))
    [0, 1, 0, 0, 0, 1]
    """
    _, here, after = _beside(marks)
    return _marks(here & ~after, len(marks))


def edges(marks: bytes) -> list[int]:
    """Where each run of marked places starts and where it has ended, in turn.

    >>> edges(bytes([1, 1, 0, 1, 1, 1]))
    [0, 2, 3, 6]
    """
    before, here, _ = _beside(marks + b"\0")
    return where(_marks(here ^ before, len(marks) + 1))


def followers(marks: bytes) -> bytes:
    """The marked places that come straight after a marked place.

    >>> list(followers(bytes([1, 1, 0, 1, 1, 1])))
    [0, 1, 0, 0, 1, 1]
    """
    before, here, _ = _beside(marks)
    return _marks(here & before, len(marks))


def between(marks: bytes) -> bytes:
    """The places, marked or not, that stand between two marked places.

    >>> list(between(bytes([1, 0, 1, 1, 1, 0])))
    [0, 1, 0, 1, 0, 0]
    """
    before, _, after = _beside(marks + b"\0")
    return _marks(before & after, len(marks) + 1)[:-1]


def inner(marks: bytes) -> bytes:
    """The marked places that stand between two marked places.

    >>> list(inner(bytes([1, 1, 0, 1, 1, 1])))
    [0, 0, 0, 0, 1, 0]
    """
    before, here, after = _beside(marks)
    return _marks(here & before & after, len(marks))


def select(marks: bytes, places: bytes) -> bytes:
    """Of the marks those at the marked `places`, in order.

    >>> list(select(bytes([1, 1, 0, 0]), bytes([0, 1, 1, 0])))
    [1, 0]
    """
    if len(marks) < LONG:
        return bytes(compress(marks, places))
    import numpy as np

    return np.frombuffer(marks, np.uint8)[np.frombuffer(places, np.bool_)].tobytes()


def both(marks: bytes, others: bytes) -> bytes:
    """The places that are marked in both.

    >>> list(both(bytes([1, 1, 0]), bytes([0, 1, 1])))
    [0, 1, 0]
    """
    (_, here, _), (_, there, _) = _beside(marks), _beside(others)
    return _marks(here & there, len(marks))


def either(marks: bytes, others: bytes) -> bytes:
    """The places that are marked in one or the other.

    >>> list(either(bytes([1, 1, 0, 0]), bytes([0, 1, 1, 0])))
    [1, 1, 1, 0]
    """
    (_, here, _), (_, there, _) = _beside(marks), _beside(others)
    return _marks(here | there, len(marks))
