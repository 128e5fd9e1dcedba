"""Bit masks over a text ("marks"): one byte per character, 1 where a property holds, combined at the speed of C.

Big integers (or numpy arrays for long texts) are used only to shift and combine all bytes at once.
"""

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

LONG = 2_000  # length in characters above which numpy is faster


class CharacterClass:
    """A class of characters (or grapheme clusters), defined by a predicate and evaluated on whole texts.

    >>> list(CharacterClass(str.isupper).marks("A b C"))
    [1, 0, 0, 0, 1]
    """

    def __init__(self, holds: Callable[[str], bool]) -> None:
        self._holds = holds
        self._ascii = bytes(code < 128 and holds(chr(code)) for code in range(256))

    def marks(self, characters: Sequence[str]) -> bytes:
        """Return the marks for a text or a list of clusters."""
        if isinstance(characters, str) and characters.isascii():
            return characters.encode("ascii").translate(self._ascii)
        return bytes(map(self._holds, characters))


def where(marks: bytes) -> list[int]:
    """Return the marked positions.

    >>> where(bytes([0, 1, 1, 0, 1]))
    [1, 2, 4]
    """
    if len(marks) < LONG:
        return [*compress(range(len(marks)), marks)]
    import numpy as np

    places: list[int] = np.flatnonzero(np.frombuffer(marks, np.bool_)).tolist()
    return places


def count_marked(marks: bytes) -> int:
    """Return the number of marked positions."""
    if len(marks) < LONG:
        return marks.count(1)
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(marks, np.bool_)))


def _neighbours(marks: bytes) -> tuple[Any, Any, Any]:
    """Return the marks before, at and after each position; bits outside the text may be set at the ends."""
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
    """Mark the first position of each run of marks.

    >>> list(run_starts(bytes([1, 1, 0, 1, 1, 1])))
    [1, 0, 0, 1, 0, 0]
    """
    before, here, _ = _neighbours(marks)
    return _marks(here & ~before, len(marks))


def run_ends(marks: bytes) -> bytes:
    """Mark the last position of each run of marks.

    >>> list(run_ends(bytes([1, 1, 0, 1, 1, 1])))
    [0, 1, 0, 0, 0, 1]
    """
    _, here, after = _neighbours(marks)
    return _marks(here & ~after, len(marks))


def edges(marks: bytes) -> list[int]:
    """Return the start and the end (exclusive) of each run of marks, alternating.

    >>> edges(bytes([1, 1, 0, 1, 1, 1]))
    [0, 2, 3, 6]
    """
    before, here, _ = _neighbours(marks + b"\0")
    return where(_marks(here ^ before, len(marks) + 1))


def followers(marks: bytes) -> bytes:
    """Keep the marks that directly follow another mark.

    >>> list(followers(bytes([1, 1, 0, 1, 1, 1])))
    [0, 1, 0, 0, 1, 1]
    """
    before, here, _ = _neighbours(marks)
    return _marks(here & before, len(marks))


def between(marks: bytes) -> bytes:
    """Mark the positions, marked or not, whose two neighbours are marked.

    >>> list(between(bytes([1, 0, 1, 1, 1, 0])))
    [0, 1, 0, 1, 0, 0]
    """
    before, _, after = _neighbours(marks + b"\0")
    return _marks(before & after, len(marks) + 1)[:-1]


def inner(marks: bytes) -> bytes:
    """Keep the marks whose two neighbours are marked.

    >>> list(inner(bytes([1, 1, 0, 1, 1, 1])))
    [0, 0, 0, 0, 1, 0]
    """
    before, here, after = _neighbours(marks)
    return _marks(here & before & after, len(marks))


def select(marks: bytes, places: bytes) -> bytes:
    """Return the marks at the marked `places`, in order.

    >>> list(select(bytes([1, 1, 0, 0]), bytes([0, 1, 1, 0])))
    [1, 0]
    """
    if len(marks) < LONG:
        return bytes(compress(marks, places))
    import numpy as np

    return np.frombuffer(marks, np.uint8)[np.frombuffer(places, np.bool_)].tobytes()


def both(marks: bytes, others: bytes) -> bytes:
    """Return the intersection of two sets of marks.

    >>> list(both(bytes([1, 1, 0]), bytes([0, 1, 1])))
    [0, 1, 0]
    """
    (_, here, _), (_, there, _) = _neighbours(marks), _neighbours(others)
    return _marks(here & there, len(marks))


def either(marks: bytes, others: bytes) -> bytes:
    """Return the union of two sets of marks.

    >>> list(either(bytes([1, 1, 0, 0]), bytes([0, 1, 1, 0])))
    [1, 1, 1, 0]
    """
    (_, here, _), (_, there, _) = _neighbours(marks), _neighbours(others)
    return _marks(here | there, len(marks))
