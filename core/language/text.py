"""Text segmentation for any script: grapheme clusters (user-perceived characters) and words as they are written.

For words as scores compare them, see `holdfast.language.compared_words`.
"""

import re
from collections.abc import Container, Iterable, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, TypeVar, cast
from unicodedata import category

from holdfast.language.marks import LONG, CharacterClass, count_marked, edges, run_ends, run_starts
from holdfast.language.unspaced import is_unspaced, word_pattern

T = TypeVar("T")
Span = tuple[int, int]

# Ranges in which every code point is a grapheme cluster by itself: no combining marks, joiners, jamo or regional
# indicators, and no carriage return (CR LF is one cluster). Most prompts need no segmentation at all.
_SINGLE = re.compile(
    "[\x00-\x0c\x0e-\u02ff\u0370-\u0482\u048a-\u0590\u05d0-\u05ff\u061b-\u064a"
    "\u2010-\u2027\u2030-\u205f\u20a0-\u20c0\u2190-\u21ff\u3001-\u3029\u3041-\u3096\u30a0-\u30ff\u4e00-\u9fff]*+"
)


def encodable(text: str) -> str:
    """Return `text` with a question mark for each lone surrogate, which neither UTF-8 nor tokenizers can hold.

    >>> encodable("café " + chr(0xD83D))
    'café ?'
    """
    return text.encode("utf-8", "replace").decode()


def is_simple(text: str) -> bool:
    """Return whether every code point of `text` is certain to be a grapheme cluster by itself.

    >>> is_simple("déjà vu?"), is_simple("नमस्ते")
    (True, False)
    """
    if text.isascii():
        return "\r" not in text
    return _SINGLE.fullmatch(text) is not None


def cluster_starts(text: str) -> Sequence[int]:
    """Return the offsets at which the grapheme clusters of `text` start, plus its length.

    A text may be cut only at these offsets. Simple texts yield a `range`.

    >>> cluster_starts("नमस्ते")
    [0, 1, 2, 6]
    """
    if is_simple(text):
        return range(len(text) + 1)
    return [0, *accumulate(map(len, _cluster().findall(text)))]


def cluster_cuts(text: str) -> Container[int]:
    """Return the offsets of `cluster_starts` as a container for fast membership tests."""
    starts = cluster_starts(text)
    return starts if isinstance(starts, range) else set(starts)


def count_characters(text: str) -> int:
    """Return the number of grapheme clusters in `text`.

    >>> count_characters("नमस्ते"), count_characters("👨‍👩‍👧")
    (3, 1)
    """
    return len(cluster_starts(text)) - 1


def take(items: Sequence[T], places: Sequence[int]) -> Sequence[T]:
    """Return the items at `places`; for a `range` (offsets of a simple text), the indices themselves.

    >>> take("abcd", [0, 2]), take(range(5), [0, 2])
    (['a', 'c'], [0, 2])
    """
    return cast(Sequence[T], places) if isinstance(items, range) else [*map(items.__getitem__, places)]


def words(text: str) -> list[Span]:
    """Return the spans of the words in `text`.

    A word is a run of letters, digits, underscores and their marks, with apostrophes and hyphens inside; emoji are not
    words, though they may have marks and joiners. Scripts without spaces between words are cut by rule (see
    `holdfast.language.unspaced`).

    >>> [text[start:end] for text in ["Don't stop, नमस्ते! 中国的首都"] for start, end in words(text)]
    ["Don't", 'stop', 'नमस्ते', '中国', '的', '首都']
    """
    if text.isascii():
        return runs(_ascii_word_marks(text))
    return [match.span() for match in _word_of(text).finditer(text)]


def lower_words(text: str) -> list[str]:
    """Return the words of a text in lower case.

    >>> lower_words("Don't stop, नमस्ते! L'eau 中国的")
    ["don't", 'stop', 'नमस्ते', "l'eau", '中国', '的']
    """
    lower = text.lower()
    return [lower[start:end] for start, end in words(lower)]


def count_words(text: str) -> int:
    """Return the number of words in `text`.

    >>> count_words("the cat sat on the mat.")
    6
    """
    return count_runs(_ascii_word_marks(text)) if text.isascii() else len(_word_of(text).findall(text))


def word_edges(text: str) -> tuple[int, bytes, bytes]:
    """Count the words in `text` and mark the first and last character of each.

    Returns:
        The number of words, marks on first characters and marks on last characters. Words that start or end inside a
        grapheme cluster are counted but not marked.

    >>> total, firsts, lasts = word_edges("it's 你好")
    >>> total, list(firsts), list(lasts)
    (2, [1, 0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 0, 1])
    """
    if is_unspaced(text):
        spans = words(text)
        return len(spans), *edges_of(len(text), cluster_aligned(text, spans))
    total, marks = word_marks(text)
    return total, run_starts(marks), run_ends(marks)


def edges_of(size: int, spans: Iterable[Span]) -> tuple[bytes, bytes]:
    """Mark the first and the last character of each span of a text with `size` characters."""
    firsts, lasts = bytearray(size), bytearray(size)
    for start, end in spans:
        firsts[start] = lasts[end - 1] = 1
    return bytes(firsts), bytes(lasts)


def word_marks(text: str) -> tuple[int, bytes]:
    """Count the words in `text` and mark all their characters.

    For texts with spaces between words; use `word_edges` for any text. Words that start or end inside a grapheme
    cluster are counted but not marked.

    >>> total, marks = word_marks("it's a b")
    >>> total, list(marks)
    (3, [1, 1, 1, 1, 0, 1, 0, 1])
    """
    if text.isascii():
        marks = _ascii_word_marks(text)
        return count_runs(marks), marks
    spans, marked = words(text), bytearray(len(text))
    for start, end in cluster_aligned(text, spans):
        marked[start:end] = b"\1" * (end - start)
    return len(spans), bytes(marked)


def count_tokens(text: str) -> int:
    """Return the number of whitespace-separated tokens in `text`, or of words where a script has no spaces.

    >>> count_tokens("Really ?! Yes."), count_tokens("你好！ 中国的首都")
    (3, 4)
    """
    if text.isascii():
        return count_runs(NO_SPACE.marks(text))
    return len(text.split()) + len(unspaced_word_starts(text))


def unspaced_word_starts(text: str) -> set[int]:
    """Return the offsets at which a word, or its opening bracket, follows another without a space.

    Punctuation belongs to the word before it.

    >>> sorted(unspaced_word_starts("你好！（中国）的首都"))
    [3, 7, 8]
    """
    if not is_unspaced(text):
        return set()
    found, cuts = set(), cluster_cuts(text)
    for start, _ in cluster_aligned(text, words(text)):
        while start and category(text[start - 1]) in _OPENING:
            start -= 1
        if start and start in cuts and not text[start - 1].isspace():
            found.add(start)
    return found


_OPENING = ("Ps", "Pi")  # brackets and quotation marks


def runs(marks: bytes) -> list[Span]:
    """Return the spans of the runs of marked positions."""
    ends = iter(edges(marks))
    return [*zip(ends, ends, strict=True)]


def count_runs(marks: bytes) -> int:
    """Return the number of runs of marked positions."""
    if len(marks) < LONG:
        return marks.startswith(b"\1") + marks.count(b"\0\1")
    return count_marked(run_starts(marks))


def cluster_aligned(text: str, spans: Iterable[Span]) -> list[Span]:
    """Return the spans that start and end on grapheme cluster boundaries, so that editing them splits no cluster."""
    cuts = cluster_cuts(text)
    if isinstance(cuts, range):
        return list(spans)
    return [span for span in spans if span[0] in cuts and span[1] in cuts]


def runs_together(before: str, after: str) -> bool:
    """Return whether a text ending in `before` and one starting with `after` would form one word if concatenated.

    >>> runs_together("iPhone", "iPad"), runs_together("iPhone", "手机"), runs_together("", "a")
    (True, False, False)
    """
    boundary = before[-1:] + after[:1]
    return len(boundary) == 2 and boundary.replace("_", "a").isalnum() and not any(map(is_unspaced, boundary))


LETTERS = CharacterClass(lambda cluster: cluster[0].isalpha())
SPACES = CharacterClass(str.isspace)
NO_SPACE = CharacterClass(lambda cluster: not cluster.isspace())

# 1 for characters inside words, 2 for characters that join two runs of these into one word.
_WORD_TABLE = bytes(2 if chr(code) in "'-" else chr(code).isalnum() or chr(code) == "_" for code in range(256))


def _ascii_word_marks(text: str) -> bytes:
    marks = text.encode("ascii").translate(_WORD_TABLE)
    if b"\2" in marks:
        for _ in range(2):  # matches overlap in a-b-c, so one pass misses every second hyphen
            marks = marks.replace(b"\1\2\1", b"\1\1\1")
        marks = marks.replace(b"\2", b"\0")
    return marks


def _word_of(text: str) -> Any:
    return word_pattern() if is_unspaced(text) else _spaced_word()


@cache
def _spaced_word() -> Any:
    import regex

    run = r"(?![\p{M}\u200c\u200d])\w[\w\u200c\u200d]*+"
    return regex.compile(rf"{run}(?:['’\-]{run})*+")


@cache
def _cluster() -> Any:
    import regex

    return regex.compile(r"\X")
