"""Shorten names in the middle, so that they fit a column and stay distinct; widths are those on a terminal."""

from collections.abc import Iterable, Mapping

from rich.cells import cell_len

_GAP = "…"


def shorten(text: str, width: int) -> str:
    """Return the text, cut in the middle if it is wider than `width` cells of a terminal.

    >>> shorten("perturbed policy_accuracy", 16), shorten("北京适配器第一版", 8)
    ('perturbe…ccuracy', '北京…版')
    """
    if cell_len(text) <= width:
        return text
    head = width // 2
    return f"{_beginning(text, head)}{_GAP}{_beginning(text[::-1], width - head - 1)[::-1]}"


def distinct(names: Iterable[str], width: int) -> Mapping[str, str]:
    """Return short forms of names, no two of them alike; those that are alike when cut get a number.

    >>> distinct(["adapter-of-monday-v1", "adapter-of-sunday-v1", "base"], 10)
    {'adapter-of-monday-v1': 'adapt…y-v1', 'adapter-of-sunday-v1': 'adap…-v1#2', 'base': 'base'}
    """
    names = list(dict.fromkeys(names))
    found = {name: name for name in names if cell_len(name) <= width}  # a name that fits belongs to nobody else
    for name in names:
        short, number = found.get(name) or shorten(name, width), 1
        while name not in found and short in found.values():
            number += 1
            end = f"#{number}"
            short = shorten(name, width - len(end)) + end
        found[name] = short
    return {name: found[name] for name in names}


def padded(text: str, width: int, *, left: bool = True) -> str:
    """Return the text with spaces up to a width, behind it or (for numbers) before it."""
    gap = " " * (width - cell_len(text))
    return f"{text}{gap}" if left else f"{gap}{text}"


def _beginning(text: str, width: int) -> str:
    """Return the longest beginning of a text that is not wider than this."""
    end = 0
    while end < len(text) and cell_len(text[: end + 1]) <= width:
        end += 1
    return text[:end]
