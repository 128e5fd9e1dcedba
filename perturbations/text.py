"""What a text is made of: grapheme clusters (what a reader calls characters) and words, in any script."""

import re
from collections.abc import Container, Iterable, Sequence
from functools import cache
from typing import Any

Span = tuple[int, int]

# Ranges in which every code point is a character of its own: no combining marks, joiners, jamo or regional indicators,
# and no carriage return (CR LF is one cluster). Most prompts lie within, and need no segmentation at all.
_SINGLE = re.compile(
    "[\x00-\x0c\x0e-\u02ff\u0370-\u0482\u048a-\u0590\u05d0-\u05ff\u061b-\u064a"
    "\u2010-\u2027\u2030-\u205f\u20a0-\u20c0\u2190-\u21ff\u3001-\u3029\u3041-\u3096\u30a0-\u30ff\u4e00-\u9fff]*+"
)


def is_simple(text: str) -> bool:
    """Whether each code point of `text` is a grapheme cluster by itself (quick, and False when in doubt).

    >>> is_simple("déjà vu?"), is_simple("नमस्ते")
    (True, False)
    """
    if text.isascii():
        return "\r" not in text
    return _SINGLE.fullmatch(text) is not None


def cluster_starts(text: str) -> Sequence[int]:
    """Where the grapheme clusters of `text` start, and its end: nothing may be cut elsewhere.

    >>> cluster_starts("नमस्ते")
    [0, 1, 2, 6]
    """
    if is_simple(text):
        return range(len(text) + 1)
    return [*(match.start() for match in _cluster().finditer(text)), len(text)]


def cluster_cuts(text: str) -> Container[int]:
    """The same places as `cluster_starts`, to ask whether one is among them."""
    starts = cluster_starts(text)
    return starts if isinstance(starts, range) else set(starts)


def count_characters(text: str) -> int:
    """How many grapheme clusters `text` has.

    >>> count_characters("नमस्ते"), count_characters("👨‍👩‍👧")
    (3, 1)
    """
    return len(cluster_starts(text)) - 1


def words(text: str) -> list[Span]:
    """The spans of the words of `text`: letters, digits and marks, with apostrophes and hyphens inside.

    >>> [text[start:end] for text in ["Don't stop, नमस्ते!"] for start, end in words(text)]
    ["Don't", 'stop', 'नमस्ते']
    """
    pattern = _ASCII_WORD if text.isascii() else _word()
    return [match.span() for match in pattern.finditer(text)]


def count_words(text: str) -> int:
    """How many words `text` has.

    >>> count_words("the cat sat on the mat.")
    6
    """
    pattern = _ASCII_WORD if text.isascii() else _word()
    return len(pattern.findall(text))


def count_tokens(text: str) -> int:
    """How many stretches between spaces `text` has, marks and emoji included.

    >>> count_tokens("Really ?! Yes.")
    3
    """
    return len(text.split())


def whole(text: str, spans: Iterable[Span]) -> list[Span]:
    """Those of `spans` that begin and end between grapheme clusters, so that changing them tears nothing."""
    cuts = cluster_cuts(text)
    if isinstance(cuts, range):
        return list(spans)
    return [span for span in spans if span[0] in cuts and span[1] in cuts]


_ASCII_WORD = re.compile(r"[A-Za-z0-9_]++(?:['-][A-Za-z0-9_]++)*+")


@cache
def _word() -> Any:
    import regex

    return regex.compile(r"[\w\u200c\u200d]++(?:['’\-][\w\u200c\u200d]++)*+")


@cache
def _cluster() -> Any:
    import regex

    return regex.compile(r"\X")
