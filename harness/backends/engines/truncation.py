"""Cut a prompt that is too long: content is removed, and the frame around it is kept."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

Ids = Sequence[int]


def removable(ids: Ids, frames: Iterator[Ids], excess: int, end: int | None = None) -> tuple[int, int] | None:
    """Return the first range of tokens (start, end) that has more than `excess` tokens and is not part of a frame.

    Args:
        ids: The tokens of the whole prompt.
        frames: The tokens of the same prompt around another content, from the most to the least that is kept. What the
            prompt shares with them, at its beginning and end, is the frame.
        excess: The number of tokens to remove.
        end: Where the range ends at the latest, if given.
    """
    for frame in frames:
        longest = min(len(ids), len(frame))
        before = _common(ids, frame, longest)
        after = _common(ids[::-1], frame[::-1], longest - before)
        last = min(len(ids) - after, len(ids) if end is None else end)
        if last - before > excess:
            return before, last
    return None


def _common(one: Ids, other: Ids, limit: int) -> int:
    """Return the number of equal tokens at the beginning of both, up to a limit."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one[:limit], other[:limit], strict=True)))
