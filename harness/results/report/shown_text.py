"""Texts of models and prompts as a page shows them: of bounded length, everything in them visible."""

from holdfast.notebook import visible

LIMIT = 2_000
"""Characters of the longest text that is shown whole."""


def shown_text(text: str, limit: int = LIMIT) -> str:
    """Return a text with its middle cut out if it is too long, and invisible characters as code points.

    >>> shown_text("a" * 30 + "\\u202e", 10)
    'aaaaa⟨21 characters left out⟩aaaa⟨U+202E⟩'
    """
    if len(text) > limit:
        head, tail = text[: limit // 2], text[-(limit // 2) :]
        return f"{visible(head)}⟨{len(text) - len(head) - len(tail):,} characters left out⟩{visible(tail)}"
    return visible(text)
