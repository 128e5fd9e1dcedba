"""Segment drift: how far each segment of an answer moved, which a whole-answer score hides."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast import notebook
from holdfast.errors import UserError
from holdfast.metrics.chat import without_chat
from holdfast.metrics.collecting import collection_paused
from holdfast.metrics.comparers.segment_comparer import FACTS, Answers, Comparer, comparer_of
from holdfast.metrics.drift_columns import DRIFTS
from holdfast.metrics.encoders.encoder import Encoding, encoding_of
from holdfast.metrics.metric import Scores
from holdfast.metrics.segments import Granularity, Segment, segment

if TYPE_CHECKING:
    from holdfast.metrics.alignment import Distances, Judge, Judgement
    from holdfast.metrics.alignment.transport import Array
    from holdfast.metrics.facts import Finding, Worded

TAIL = 0.25
"""The share of the mass that `tail_drift` averages over: the worst quarter."""

MAX_SEGMENTS = 1_000
"""Segments beyond this many are not compared, with a warning."""

BREAK = 0.5
"""The default break threshold. A cost is the estimated probability that a reader calls two segments different."""


class SegmentDrift(NamedTuple):
    """A segment, its drift in [0, 1], the segment of the other answer that received most of its mass, the reason for
    the drift, the part of the drift that comes from conflicts, and all differences between the two."""

    segment: Segment
    drift: float
    partner: Segment | None
    reason: str
    conflict: float
    findings: tuple[Finding, ...] = ()


class Link(NamedTuple):
    """Mass that the transport plan moves from a clean segment to a perturbed one, which are given by their places."""

    clean: int
    perturbed: int
    mass: float


@dataclass(frozen=True, slots=True, repr=False)
class Drift:
    """How far a perturbed answer moved from the clean one; every number lies in [0, 1].

    Attributes:
        max_drift: The largest drift of any segment of either answer.
        max_conflict: The largest drift of any segment by what the two answers say differently, coverage aside.
        break_drift: The largest drift of any segment, additions aside: what decides whether an answer is broken.
        tail_drift: CVaR: the mean drift of the worst quarter of the mass.
        mean_drift: The mean drift of all segments, weighed by mass.
        global_drift: The distance between the whole answers.
        hidden_drift: `max_drift` minus `global_drift`, at least 0: what a whole-answer score misses.
        lost_mass: The share of the clean answer that resembles nothing in the perturbed one.
        added_mass: The share of the perturbed answer that resembles nothing in the clean one.
        clean: The segments of the clean answer.
        perturbed: The segments of the perturbed answer.
        links: The transport plan between the two, without its zeros; the masses sum to 1 unless an answer is empty.
        encoder: The name of the encoder that compared the two texts.
    """

    max_drift: float = 0.0
    max_conflict: float = 0.0
    break_drift: float = 0.0
    tail_drift: float = 0.0
    mean_drift: float = 0.0
    global_drift: float = 0.0
    hidden_drift: float = 0.0
    lost_mass: float = 0.0
    added_mass: float = 0.0
    clean: tuple[SegmentDrift, ...] = ()
    perturbed: tuple[SegmentDrift, ...] = ()
    links: tuple[Link, ...] = ()
    encoder: str = ""

    def scores(self) -> Scores:
        """Return the numbers by name."""
        return {name: getattr(self, name) for name in DRIFTS}

    def __repr__(self) -> str:
        worst = f" ({self.worst.reason})" if self.worst and self.worst.reason else ""
        return (
            f"Drift(max {self.max_drift:.3f}{worst}, mean {self.mean_drift:.3f}, global {self.global_drift:.3f}, "
            f"{len(self.clean)} -> {len(self.perturbed)} segments)"
        )

    def _repr_html_(self) -> str:
        """Render a table of the clean segments with their counterparts, and of added segments, shaded by drift."""
        counterparts = {part.partner for part in self.clean}
        added = [part for part in self.perturbed if part.segment not in counterparts]
        rows = [("clean", *_cells(part)) for part in self.clean] + [("perturbed", *_cells(part)) for part in added]
        return notebook.table(repr(self), ("answer", "segment", "counterpart", "drift", "reason"), rows)

    @property
    def worst(self) -> SegmentDrift | None:
        """The segment that drifted most (the clean side's on a tie), or None if nothing drifted."""
        worst = max((*self.clean, *self.perturbed), key=lambda part: part.drift, default=None)
        return worst if worst and worst.drift > 0 else None

    @property
    def reasons(self) -> tuple[str, ...]:
        """The distinct reasons for drift, the worst segment's first."""
        moved = sorted((*self.clean, *self.perturbed), key=lambda part: -part.drift)
        return tuple(dict.fromkeys(part.reason for part in moved if part.reason))


def _cells(part: SegmentDrift) -> tuple[str, str, str, str]:
    partner = part.partner.text if part.partner else ""
    drift = notebook.shaded(f"{part.drift:.3f}", part.drift)
    return notebook.shaded(part.segment.text, part.drift), notebook.text(partner), drift, notebook.text(part.reason)


@collection_paused()
def segment_drift(
    clean: Sequence[str],
    perturbed: Sequence[str],
    *,
    encoding: Encoding | str | None = None,
    granularity: Granularity = "sentence",
    pipeline: str | None = None,
    comparer: Comparer | str | None = None,
) -> list[Drift]:
    """Align each clean answer with its perturbed counterpart and measure how far every segment drifted.

    Segment i of the clean answer drifts by d_i = sum_j P_ij C_ij / a_i, where P is the optimal transport plan between
    the segments' masses a and b under the distances of their vectors, and C_ij the cost of all differences between two
    segments (docs/drift.md); the other side is symmetric.
    If both answers are empty, every number is 0; if one is, every number is 1 except `hidden_drift` and the mass that
    the empty one lost or added. If one refuses and the other doesn't, the refusal drifts by 1. Polite phrases
    ("Sure!", see `holdfast.metrics.chat`) are ignored unless the answer is nothing else. Identical answers are not
    encoded; all other texts are encoded once, in one call per encoder.

    Args:
        clean: Answers to the clean prompts.
        perturbed: Answers to the perturbed prompts, in the same order.
        encoding: The encoders to use, or their names (as in "minilm,hi=path/to/encoder"); minilm if None.
        granularity: What to cut answers into: "sentence", "clause" or "phrase".
        pipeline: An installed spaCy pipeline that finds the sentences and adds its entities and parse to the facts.
        comparer: What judges how far two segments differ, or its name (as in "nli=path/to/model"); `facts` if None.

    Returns:
        One `Drift` per pair, in order.

    Raises:
        UserError: If the lists differ in length, one is a bare string or holds anything but strings, `encoding` is
            neither an `Encoding` nor a name, the granularity is unknown, or an encoder, comparer or pipeline is not
            installed or can't be loaded.

    >>> before, after = "Anna meets Ben. They leave at 12.", "Anna meets Ben. They leave at 21."
    >>> [found] = segment_drift([before], [after], encoding="lexical")
    >>> found.max_drift > 0.5, found.worst.segment.text, found.worst.reason
    (True, 'They leave at 12.', 'number 12 -> 21')
    """
    if isinstance(clean, str) or isinstance(perturbed, str):
        raise UserError("segment_drift compares lists of answers: pass [clean] and [perturbed], not a bare string")
    if not isinstance(encoding, (Encoding, str, NoneType)):
        raise UserError(f"encoding must be the name of an encoder or an Encoding, got {_type(encoding)}")
    if not isinstance(comparer, (Comparer, str, NoneType)):
        raise UserError(f"comparer must be the name of a comparer or a Comparer, got {_type(comparer)}")
    if len(clean) != len(perturbed):
        raise UserError(
            f"got {len(clean)} clean and {len(perturbed)} perturbed answers; the lists must have the same length"
        )
    for side, texts in (("clean", clean), ("perturbed", perturbed)):
        wrong = next((i for i, text in enumerate(texts) if not isinstance(text, str)), None)
        if wrong is not None:
            raise UserError(f"{side} answer {wrong} must be a string, got {_type(texts[wrong])}")
    changed = [i for i, pair in enumerate(zip(clean, perturbed, strict=True)) if pair[0] != pair[1]]
    if not changed:
        return [Drift()] * len(clean)
    from holdfast.metrics.alignment import Distances
    from holdfast.metrics.encoders.word_vectors import words_by_text
    from holdfast.metrics.parsing import parse

    encoding = encoding if isinstance(encoding, Encoding) else encoding_of(encoding or "minilm")
    chosen = comparer if isinstance(comparer, Comparer) else comparer_of(comparer or FACTS)
    texts = list(dict.fromkeys(text for i in changed for text in (clean[i], perturbed[i])))
    parses = parse(texts, pipeline) if pipeline else None
    parts = dict(zip(texts, map(without_chat, segment(texts, granularity, parses)), strict=True))
    parsed = dict(zip(texts, parses or (), strict=False))
    _truncate(parts)
    cut = {answer: [part.text for part in its] for answer, its in parts.items()}
    choices = {i: encoding.choose(clean[i], perturbed[i]) for i in changed}
    found: dict[int, Drift] = {}
    for name in dict.fromkeys(choices.values()):
        mine = [i for i in changed if choices[i] == name]
        whole = dict.fromkeys(text for i in mine for text in (clean[i], perturbed[i]))
        read = {i: _with_slips_fixed(clean[i], perturbed[i], cut[clean[i]], cut[perturbed[i]]) for i in mine}
        bare = {i: _without_list_markers(read[i]) for i in mine}
        pieces = dict.fromkeys(text for sides in bare.values() for side in sides for text in side)
        encode = encoding.encode(name)
        # first, since an encoder that remembers reads the texts once for both
        words = words_by_text(pieces, encode) if chosen.reads_words else None
        distances = Distances(chain(whole, pieces), encode, encoding.power(name))
        judges = {
            i: chosen.judge(
                Answers(*read[i], (parsed.get(clean[i]), parsed.get(perturbed[i])), _worded(bare[i], words))
            )
            for i in mine
        }
        while mine:
            for i in mine:
                found[i] = _drift(clean[i], perturbed[i], parts, bare[i], distances, judges[i], name)
            mine = chosen.settle({i: judges[i] for i in mine})
    same = Drift()
    return [found.get(i, same) for i in range(len(clean))]


def _drift(
    clean: str,
    perturbed: str,
    parts: dict[str, list[Segment]],
    bare: tuple[list[str], list[str]],
    distances: Distances,
    judge: Judge,
    encoder: str,
) -> Drift:
    from holdfast.metrics.alignment import REFUSAL, align, masses

    ours, theirs = parts[clean], parts[perturbed]
    if not ours or not theirs:
        return _one_sided(ours, theirs, encoder)
    a, b = masses([part.mass for part in ours]), masses([part.mass for part in theirs])
    found = align(distances.between(*bare), a, b, distances.joint(bare[0], a, bare[1], b), judge)
    refused = _refuse(clean, perturbed)
    if refused[0] != refused[1]:
        (found.clean if refused[0] else found.perturbed)[0] = REFUSAL
    elif refused[0]:
        for texts, judgements, apart in ((bare[0], found.clean, found.lost), (bare[1], found.perturbed, found.added)):
            for at in _refusals(texts):
                conflict = judgements[at].conflict
                judgements[at], apart[at] = judgements[at]._replace(cost=conflict, kept=conflict), False
    judged = [*found.clean, *found.perturbed]
    ours_mass, theirs_mass = a.tolist(), b.tolist()
    weighed = [*zip((each.cost for each in judged), (mass / 2 for mass in (*ours_mass, *theirs_mass)), strict=True)]
    worst = max(each.cost for each in judged)
    whole = distances.of(clean, perturbed)
    return Drift(
        max_drift=worst,
        max_conflict=max(each.conflict for each in judged),
        break_drift=max(*(each.kept for each in found.clean), *(each.conflict for each in judged)),
        tail_drift=_tail(weighed),
        mean_drift=_clip(sum(drift * mass for drift, mass in weighed)),
        global_drift=whole,
        hidden_drift=max(0.0, worst - whole),
        lost_mass=_clip(sum(compress(ours_mass, found.lost))),
        added_mass=_clip(sum(compress(theirs_mass, found.added))),
        clean=_segment_drifts(ours, theirs, found.clean_partners, found.clean),
        perturbed=_segment_drifts(theirs, ours, found.perturbed_partners, found.perturbed),
        links=_links(found.plan),
        encoder=encoder,
    )


def _links(plan: Array) -> tuple[Link, ...]:
    places = plan.nonzero()
    return tuple(map(Link, *(each.tolist() for each in (*places, plan[places]))))


def _worded(
    bare: tuple[list[str], list[str]], words: Mapping[str, Worded] | None
) -> tuple[list[Worded], list[Worded]] | None:
    """Return the words of each segment of both answers, if the encoder has vectors of words."""
    return None if words is None else ([words[text] for text in bare[0]], [words[text] for text in bare[1]])


def _without_list_markers(read: tuple[list[str], list[str]]) -> tuple[list[str], list[str]]:
    """Return the segments of both answers without the numbers and bullets of list items, which have no meaning."""
    from holdfast.metrics.facts.reading.tokens import without_list_marker

    return [*map(without_list_marker, read[0])], [*map(without_list_marker, read[1])]


def _refuse(clean: str, perturbed: str) -> tuple[bool, bool]:
    """Return for either answer whether it refuses, allowing for slips of the keyboard where only one seems to."""
    from holdfast.metrics.scores.safety import is_refusal

    refused = is_refusal(clean), is_refusal(perturbed)
    if refused[0] == refused[1]:
        return refused
    ours, theirs = _with_slips_fixed(clean, perturbed, [clean], [perturbed])
    return is_refusal(ours[0]), is_refusal(theirs[0])


def _refusals(texts: Sequence[str]) -> list[int]:
    """Return the places of the segments that only refuse; such segments say the same unless they conflict."""
    from holdfast.metrics.scores.safety import only_refuses

    return [at for at, text in enumerate(texts) if only_refuses(text)]


def _with_slips_fixed(
    clean: str, perturbed: str, ours: Sequence[str], theirs: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return the segments of both answers with misspelt words spelled as in the other answer."""
    from holdfast.language.detection import languages_of
    from holdfast.language.spelling import correct_misspellings

    languages = languages_of(clean, perturbed)
    language = min(languages) if len(languages) == 1 else "en"
    return correct_misspellings(ours, theirs, language)


def _one_sided(ours: list[Segment], theirs: list[Segment], encoder: str) -> Drift:
    if not ours and not theirs:
        return Drift(encoder=encoder)
    lost = tuple(SegmentDrift(part, 1.0, None, "answer lost", 1.0) for part in ours)
    added = tuple(SegmentDrift(part, 1.0, None, "answer added", 1.0) for part in theirs)
    whole: dict[str, Any] = dict.fromkeys(DRIFTS, 1.0) | {
        "hidden_drift": 0.0,
        "lost_mass": float(bool(ours)),
        "added_mass": float(bool(theirs)),
    }
    return Drift(**whole, clean=lost, perturbed=added, encoder=encoder)


def _segment_drifts(
    segments: list[Segment], others: list[Segment], partners: list[int], judged: list[Judgement]
) -> tuple[SegmentDrift, ...]:
    return tuple(
        SegmentDrift(part, each.cost, others[partner], each.reason, each.conflict, each.findings)
        for part, each, partner in zip(segments, judged, partners, strict=True)
    )


def _tail(drifts: Sequence[tuple[float, float]]) -> float:
    """Return the CVaR of (drift, mass) pairs: the mean over the worst TAIL of the mass (Rockafellar and Uryasev
    2000)."""
    left, total = TAIL, 0.0
    for drift, mass in sorted(drifts, reverse=True):
        total += drift * min(mass, left)
        left -= mass
        if left <= 0:
            break
    return _clip(float(total / TAIL))


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))


def _type(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _truncate(parts: dict[str, list[Segment]]) -> None:
    """Cut answers to MAX_SEGMENTS segments, in place: memory and time grow quadratically."""
    long = [text for text, found in parts.items() if len(found) > MAX_SEGMENTS]
    for text in long:
        parts[text] = parts[text][:MAX_SEGMENTS]
    if long:
        warnings.warn(
            f"{len(long)} answers have more than {MAX_SEGMENTS} segments; the rest of each is not compared",
            stacklevel=4,
        )
