"""Rule-based sentence boundaries in many scripts."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator

from holdfast.language.lexicon_tables import abbreviation_kinds

Span = tuple[int, int]

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LINE_BREAK = re.compile(r"[ \t]*(?:\r?\n|\r|\u2028|\u2029)\s*")
_WRAPPED = 50
"""A line of at least this length that ends mid-sentence counts as wrapped; the next line continues it."""
_LIST_ITEM = re.compile(r"\s*(?:[-*+•‣◦–—]|\(?(?:\d{1,3}|[A-Za-z])[.)])\s")
_END = re.compile(r"[.!?…॥։؟।。！？｡]+[\"'”’»)\]」』*_]*")
_WITHOUT_SPACE = "。！？｡"
"""Sentence-final marks that need no space after them."""
_KEPT_WHOLE = re.compile(
    r"\"[^\"]{1,300}\"|“[^“”]{1,300}”|«[^«»]{1,300}»|„[^„“”]{1,300}[“”]|「[^「」]{1,300}」|\([^()]{1,300}\)"
)
_WORD_BEFORE = re.compile(r"[^\s\"'“”‘’(\[*_]*\Z")
_LETTER_AHEAD, _LETTER_BEHIND = re.compile(r"\s[^\W\d_]\."), re.compile(r"(?<!\w)[^\W\d_]\.\s[^\W\d_]\Z")
"""A neighbouring single letter, which makes a letter part of an abbreviation such as d. h. or z. B."""
_NEAR = 1_000
"""Maximum length of a list item."""
_FIRST_ITEM = re.compile(r"(?<=:)\s+(?=\(?1[.)]\s+[^\W\d_])")
"""The start of a numbered list in the middle of a line."""
_DOTTED = re.compile(r"(?:\w\.)+\w\Z")


def sentence_spans(text: str) -> list[Span]:
    """Return the spans of the sentences in `text`, sorted, without surrounding whitespace.

    A line break ends a sentence except inside a wrapped paragraph; a fenced code block is one sentence. Abbreviations,
    initials, numbers, addresses, quotations and brackets are never split.

    >>> text = "Mr. J. Lee said \\"Go. Now.\\" at 5 p.m. Anna paid 4.50 euros!\\n- see www.a.org/?x.y\\n1. Stop"
    >>> [text[start:end] for start, end in sentence_spans(text)]
    ['Mr. J. Lee said "Go. Now." at 5 p.m.', 'Anna paid 4.50 euros!', '- see www.a.org/?x.y', '1. Stop']
    """
    spans: list[Span] = []
    at = 0
    for fence in _FENCED.finditer(text) if "```" in text else ():
        spans += _prose(text, at, fence.start())
        spans.append(fence.span())
        at = fence.end()
    spans += _prose(text, at, len(text))
    return [span for span in (_stripped(text, *span) for span in spans) if span[0] < span[1]]


def count_sentences(text: str) -> int:
    """Return the number of sentences in `text`.

    >>> count_sentences("Go. Now!")
    2
    """
    return len(sentence_spans(text))


def unsplittable_spans(text: str) -> list[Span]:
    """Return quotations and brackets of at most 300 characters, unless they make up most of the text."""
    if not any(mark in text for mark in '"“«„「('):
        return []
    return [match.span() for match in _KEPT_WHOLE.finditer(text) if match.end() - match.start() < 0.8 * len(text)]


def is_inside(spans: list[Span], place: int) -> bool:
    """Return whether an offset lies strictly inside one of the sorted spans."""
    i = bisect.bisect_left(spans, (place, place)) - 1
    return i >= 0 and spans[i][0] < place < spans[i][1]


def _prose(text: str, start: int, end: int) -> Iterator[Span]:
    for first, last in _paragraphs(text, start, end):
        yield from _sentences(text, first, last)


def _paragraphs(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the spans of lines; the lines of a wrapped paragraph form one span."""
    if not any(mark in text for mark in "\n\r\u2028\u2029"):
        yield start, end
        return
    line = start
    for gap in _LINE_BREAK.finditer(text, start, end):
        if not _is_wrapped(text, line, gap):
            yield start, gap.start()
            start = gap.end()
        line = gap.end()
    yield start, end


def _is_wrapped(text: str, line: int, gap: re.Match[str]) -> bool:
    """Return whether a sentence continues after the line break, judging by its length, its end and the next line."""
    following = text[gap.end() : gap.end() + 1]
    if gap.start() - line < _WRAPPED or gap.group().count("\n") > 1 or not following.islower():
        return False
    return not _END.match(text, gap.start() - 1) and not _LIST_ITEM.match(text, gap.end())


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    paragraph = text[start:end]
    whole = unsplittable_spans(paragraph)
    at = 0
    item = _LIST_ITEM.match(paragraph)
    found = _END.finditer(paragraph, item.end() if item else 0)
    ends = [mark.end() for mark in found if _ends_sentence(paragraph, mark)]
    if ":" in paragraph and "1" in paragraph:
        ends = sorted((*ends, *(gap.start() for gap in _FIRST_ITEM.finditer(paragraph))))
    for place in ends:
        if not is_inside(whole, place):
            yield start + at, start + place
            at = place
    yield start + at, end


def _ends_sentence(text: str, found: re.Match[str]) -> bool:
    marks = found.group()
    behind = text[found.end() : found.end() + 2]
    if behind[:1].strip() and marks[0] not in _WITHOUT_SPACE:
        return False
    following = behind.strip()[:1]
    if not following or marks[0] in "।॥。！？｡":
        return True
    if following.islower() and (len(marks) > 1 or marks == "…"):
        return False  # "Go!" he said; well... perhaps
    if marks[0] != "." or len(marks) > 1:
        return True
    word = _WORD_BEFORE.search(text, max(0, found.start() - 30), found.start())
    before = word.group() if word else ""
    kind = abbreviation_kinds().get(before.lower())
    if kind == "maybe":
        return following.isupper()
    initial = len(before) == 1 and (
        (before.isupper() and before != "I")
        or _LETTER_AHEAD.match(text, found.end()) is not None
        or _LETTER_BEHIND.search(text, max(0, found.start() - 6), found.start()) is not None
    )
    if kind == "numbered":
        return not following.isdigit()
    return not (kind == "never" or initial or _DOTTED.match(before) or _numbers_item(text, before, found.start()))


def _numbers_item(text: str, number: str, end: int) -> bool:
    """Return whether the number ending here labels a list item: it opens the text or follows the previous item."""
    if not (number.isdecimal() and len(number) < 4):
        return False
    before = text[: end - len(number)].rstrip() if end < _NEAR else text[end - _NEAR : end - len(number)].rstrip()
    if not before:
        return True
    if before[-1] == ":":
        return int(number) == 1
    last = before.rfind(f"{int(number) - 1}.")
    return before[-1] in ".!?;" and last >= 0 and (last == 0 or before[last - 1] in " \t(")


def _stripped(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
