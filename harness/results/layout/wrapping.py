"""Wrap what is said on a screen: at most 78 columns, so that it fits a terminal, a log and an e-mail."""

import textwrap

from holdfast.errors import printable

WIDTH = 78


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return the lines of a text, each at most 78 columns wide; those after the first are indented further."""
    return textwrap.wrap(
        printable(text), WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )
