"""Escape texts for Markdown."""

import re

from holdfast.errors import printable

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$&#])")


def markdown_text(text: str) -> str:
    r"""Escape a text so that Markdown shows it as it is, on one line, and GitHub notifies nobody.

    >>> print(markdown_text("a_b | @me"))
    a\_b \| @<!-- -->me
    """
    return _SPECIAL.sub(r"\\\1", printable(text)).replace("@", "@<!-- -->")
