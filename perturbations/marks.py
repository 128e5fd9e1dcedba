"""Marks: one byte for each place of a text, 1 where something holds; made, combined and counted at the speed of C.

The big integers below are only a way to shift and combine all bytes of a text at once.
"""

from collections.abc import Callable, Sequence
from itertools import compress


class Kind:
    """A kind of character (or grapheme cluster): says of every place of a text whether it is of that kind.

    >>> list(Kind(str.isupper).marks("A b C"))
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
    return [*compress(range(len(marks)), marks)]


def run_starts(marks: bytes) -> bytes:
    """The first of each run of marked places.

    >>> list(run_starts(bytes([1, 1, 0, 1, 1, 1])))
    [1, 0, 0, 1, 0, 0]
    """
    bits = int.from_bytes(marks, "big")
    return (bits & ~(bits >> 8)).to_bytes(len(marks), "big")


def run_ends(marks: bytes) -> bytes:
    """The last of each run of marked places.

    >>> list(run_ends(bytes([1, 1, 0, 1, 1, 1])))
    [0, 1, 0, 0, 0, 1]
    """
    bits = int.from_bytes(marks, "big")
    return (bits & ~(bits << 8)).to_bytes(len(marks), "big")


def followers(marks: bytes) -> bytes:
    """The marked places that come straight after a marked place.

    >>> list(followers(bytes([1, 1, 0, 1, 1, 1])))
    [0, 1, 0, 0, 1, 1]
    """
    bits = int.from_bytes(marks, "big")
    return (bits & (bits >> 8)).to_bytes(len(marks), "big")


def inner(marks: bytes) -> bytes:
    """The marked places that stand between two marked places.

    >>> list(inner(bytes([1, 1, 0, 1, 1, 1])))
    [0, 0, 0, 0, 1, 0]
    """
    bits = int.from_bytes(marks, "big")
    return (bits & (bits >> 8) & (bits << 8)).to_bytes(len(marks), "big")


def both(marks: bytes, others: bytes) -> bytes:
    """The places that are marked in both.

    >>> list(both(bytes([1, 1, 0]), bytes([0, 1, 1])))
    [0, 1, 0]
    """
    return (int.from_bytes(marks, "big") & int.from_bytes(others, "big")).to_bytes(len(marks), "big")
