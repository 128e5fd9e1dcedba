"""The segments of two answers, in the order of the texts, and which belong together."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from holdfast.harness.results.report.shown_text import shown_text

MOST = 20
"""Number of pieces of an answer that are told apart; the rest of it is one piece."""

_PIECE = 600
_SPACES = " \t\r\n"
"""What may stand between segments without being shown; other separators are."""

Span = tuple[int, int]
Piece = tuple[str, float | None, str]
"""A text, its drift (None if it is between segments, or didn't drift), and the reason."""


class Linked(TypedDict):
    """The pieces of both answers, and links between their places: [clean, perturbed, mass]."""

    clean: list[Piece]
    perturbed: list[Piece]
    links: list[tuple[int, int, float]]


def linked_segments(clean: str, perturbed: str, segments: Sequence[Mapping[str, Any]]) -> Linked | None:
    """Cut both answers into the segments that drifted, those that these are linked to, and what is between them.

    Args:
        clean: The answer to the clean prompt.
        perturbed: The answer to the perturbed one.
        segments: The drifted segments as samples.jsonl has them.

    Returns:
        None if there are none, or they are not of these answers.
    """
    texts = {"clean": clean, "perturbed": perturbed}
    found: dict[str, dict[Span, tuple[float | None, str]]] = {"clean": {}, "perturbed": {}}
    masses: dict[tuple[Span, Span], float] = {}
    for each in segments:
        side = each["side"]
        start = each.get("start", texts[side].find(each["text"]))
        span = start, start + len(each["text"])
        if start < 0 or texts[side][slice(*span)] != each["text"]:
            return None
        found[side][span] = each["drift"], each["reason"]
        for link_start, link_end, mass in each.get("links", ()):
            other = int(link_start), int(link_end)
            found["perturbed" if side == "clean" else "clean"].setdefault(other, (None, ""))
            masses[(span, other) if side == "clean" else (other, span)] = mass
    if not segments:
        return None
    ours, our_places = _pieces(clean, found["clean"])
    theirs, their_places = _pieces(perturbed, found["perturbed"])
    links = [
        (our_places[one], their_places[two], round(mass, 3))
        for (one, two), mass in masses.items()
        if one in our_places and two in their_places
    ]
    return Linked(clean=ours, perturbed=theirs, links=links)


def _pieces(text: str, segments: Mapping[Span, tuple[float | None, str]]) -> tuple[list[Piece], dict[Span, int]]:
    """Return the pieces of a text, and the places of the segments among them."""
    pieces: list[Piece] = []
    places: dict[Span, int] = {}
    at = 0
    for start, end in sorted(segments):
        if start < at or end > len(text) or len(pieces) >= MOST:
            continue
        if gap := text[at:start].strip(_SPACES):
            pieces.append((shown_text(gap, _PIECE), None, ""))
        places[start, end] = len(pieces)
        drift, reason = segments[start, end]
        pieces.append((shown_text(text[start:end], _PIECE), drift, shown_text(reason, _PIECE)))
        at = end
    if rest := text[at:].strip(_SPACES):
        pieces.append((shown_text(rest, _PIECE), None, ""))
    return pieces, places
