"""Shorten names in the middle, so that they fit a column and stay distinct."""

from collections.abc import Iterable, Mapping

_GAP = "…"


def shorten(text: str, width: int) -> str:
    """Return the text, cut in the middle if it is longer than `width` characters.

    >>> shorten("perturbed policy_accuracy", 16)
    'perturbe…ccuracy'
    """
    if len(text) <= width:
        return text
    head = width // 2
    return f"{text[:head]}{_GAP}{text[len(text) - (width - head - 1) :]}"


def distinct(names: Iterable[str], width: int) -> Mapping[str, str]:
    """Return short forms of names, no two of them alike; those that are alike when cut get a number.

    >>> distinct(["adapter-of-monday-v1", "adapter-of-sunday-v1", "base"], 10)
    {'adapter-of-monday-v1': 'adapt…y-v1', 'adapter-of-sunday-v1': 'adap…v1#2', 'base': 'base'}
    """
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        short, number = shorten(name, width), 1
        while short in found.values():
            number += 1
            end = f"#{number}"
            short = shorten(name, width - len(end)) + end
        found[name] = short
    return found
