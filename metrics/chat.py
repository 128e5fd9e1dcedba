"""What says nothing of the matter, and so is not compared: politeness around an answer, numbers of steps in words."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

import regex

from holdfast.metrics.segments import HAS_CONTENT, Segment, as_segment

_FIRST = 3
"""So many letters tell most sentences from those that may be polite."""


_MARKS = " ,.:;!?。，！：\n"
"""What may stand behind a phrase of fewer letters."""

_ENDS = {
    "opening": r"(?:\s+-+\s+|\s*[,.:;!?।。，！：–—]+\s*|\s*\Z)",
    "whole": r"\W*\Z",
    "step": r"(?:,|(?<=\d):)\s*(?=\w)",
}
"""How each kind of phrase ends."""


def without_chat(parts: list[Segment]) -> list[Segment]:
    """The segments without what only greets, thanks, offers help or counts steps; all, where nothing else is said.

    >>> from holdfast.metrics.segments import segment
    >>> [part.text for part in without_chat(segment(["Of course: it is Paris. I hope this helps!"])[0])]
    ['it is Paris.']
    >>> [part.text for part in without_chat(segment(["Sure!"])[0])], _chat_before("Sure, I can't.")
    (['Sure!'], 6)
    """
    known = _phrases()
    if not any(part.text[:_FIRST].lower() in known for part in parts):
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
    """Where the matter of a segment begins, which is its end where it has none."""
    at = steps = 0
    while polite := _phrases().get(text[at : at + _FIRST].lower()):
        found = polite.match(text, at)
        if not found:
            break
        steps += found.lastgroup == "step"
        at = found.end()
    return at if steps < 2 else 0  # first, second and third prizes are counted, not told in steps


@cache
def _phrases() -> dict[str, regex.Pattern[str]]:
    """By their first letters, such phrases with the marks that end them."""
    lines = (files("holdfast.metrics") / "data" / "chat.txt").read_text("utf-8").splitlines()
    rows = [line.partition(": ") for line in lines if line and not line.startswith("#")]
    found: dict[str, list[str]] = {}
    for kind, _, form in rows:
        end = _ENDS[kind]
        pattern = form.replace(" ", r"\s+").replace("'", "['’]")
        for mark in ("", "¡", "¿"):
            first = (mark + form)[:_FIRST]
            for key in (first,) if len(first) == _FIRST else (first, *(first + sign for sign in _MARKS)):
                found.setdefault(key, []).append(rf"(?P<{kind}>{mark}{pattern}){end}")
    return {first: regex.compile("|".join(forms), regex.IGNORECASE) for first, forms in found.items()}
