"""Strips polite phrases and step labels from answers, so that they don't count as drift."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

import regex

from holdfast.language.grammar import closed_class
from holdfast.language.lexicon_tables import words_with
from holdfast.language.spelling import is_slip
from holdfast.language.text import lower_words
from holdfast.metrics.segments import HAS_CONTENT, Segment, as_segment

_FIRST = 3
"""Length of the prefix that phrases are indexed by; it rules out most sentences without running a regex."""

_MARKS = " ,.:;!?。，！：\n"
"""Characters that may follow a phrase shorter than `_FIRST`."""

_ENDS = {
    "opening": r"(?:\s+-+\s+|\s*[,.:;!?।。，！：–—]+\s*|\s*\Z)",
    "whole": r"\W*\Z",
    "step": r"(?:,|(?<=\d):)\s*(?=\w)",
    "frame": r"\s*:?\s+(?:option\s+)?(?=[\W_]*\w+(?:\W+\w+){0,4}\W*\Z)",
}
"""The regex that must follow each kind of phrase."""

_CONTRACTED = regex.compile("'(?:m|re|ve|d|ll|s)$")
_MOST = 15
"""Longer sentences say more than that they are polite."""


def without_chat(parts: list[Segment]) -> list[Segment]:
    """Remove greetings, thanks, offers of help and step labels ("First, ...") from an answer's segments.

    Args:
        parts: The segments of one answer.

    Returns:
        The segments that still have content, with leading chat cut off; `parts` unchanged if nothing else is left.

    >>> from holdfast.metrics.segments import segment
    >>> [part.text for part in without_chat(segment(["Of course: it is Paris. I hope this helps!"])[0])]
    ['it is Paris.']
    >>> [part.text for part in without_chat(segment(["Sure!"])[0])], _chat_before("Sure, I can't.")
    (['Sure!'], 6)
    """
    known, polite = _phrases(), _politeness()[0]
    if not any(part.text[:_FIRST].lower() in known or polite.search(part.text) for part in parts):
        return parts
    found = [_chat_before(part.text) for part in parts]
    kept = [
        as_segment(part.text, at, len(part.text), part.start) if at else part
        for part, at in zip(parts, found, strict=True)
        if not at or HAS_CONTENT.search(part.text, at)
    ]
    return kept or parts


@lru_cache(maxsize=1 << 15)
def _chat_before(text: str) -> int:
    """Return the offset at which a segment's content begins; its length if it is all chat."""
    if _is_polite(text):
        return len(text)
    at = steps = 0
    while polite := _phrases().get(text[at : at + _FIRST].lower()):
        found = polite.match(text, at)
        if not found:
            break
        steps += found.lastgroup == "step"
        at = found.end()
    return at if steps < 2 else 0  # several in a row are content: "first, second, third prize"


def _is_polite(text: str) -> bool:
    """Return whether an English sentence has a polite phrase, and only function words and such words beside it."""
    phrases, known = _politeness()
    if not phrases.search(text):
        return False
    words = [_CONTRACTED.sub("", word) for word in lower_words(text.replace("’", "'"))]
    return len(words) <= _MOST and all(word in known or any(is_slip(word, other) for other in known) for word in words)


@cache
def _politeness() -> tuple[regex.Pattern[str], frozenset[str]]:
    """Return a pattern of polite phrases, and the words that may be beside them."""
    rows = _rows()
    phrases = "|".join(form.replace("'", "['’]") for kind, form in rows if kind == "polite")
    negative = words_with("en", "not") | words_with("en", "none")
    beside = {word for kind, forms in rows if kind == "beside" for word in forms.split()}
    return regex.compile(phrases, regex.IGNORECASE), frozenset(beside | (closed_class() - negative))


@cache
def _rows() -> list[tuple[str, str]]:
    """Return the kinds and forms of the phrases."""
    lines = (files("holdfast.metrics") / "data" / "chat.txt").read_text("utf-8").splitlines()
    rows = (line.partition(": ") for line in lines if line and not line.startswith("#"))
    return [(kind, form) for kind, _, form in rows]


@cache
def _phrases() -> dict[str, regex.Pattern[str]]:
    """Map the first letters of chat phrases to a pattern that matches them and the punctuation that ends them."""
    found: dict[str, list[str]] = {}
    for kind, form in _rows():
        if kind not in _ENDS:
            continue
        end = _ENDS[kind]
        pattern = form.replace(" ", r"\s+").replace("'", "['’]")
        for mark in ("", "¡", "¿"):
            first = (mark + form)[:_FIRST]
            for key in (first,) if len(first) == _FIRST else (first, *(first + sign for sign in _MARKS)):
                found.setdefault(key, []).append(rf"(?P<{kind}>{mark}{pattern}){end}")
    return {first: regex.compile("|".join(forms), regex.IGNORECASE) for first, forms in found.items()}
