"""Segment drift: how far the worst segment of an answer moved, which a whole-answer score hides."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import TYPE_CHECKING, NamedTuple

from holdfast.metrics.chat import without_chat
from holdfast.metrics.collecting import collection_paused
from holdfast.metrics.encoders.encoder import Encoding, encoding_of
from holdfast.metrics.metric import Encode, Scores, pair_metric
from holdfast.metrics.segments import Granularity, Segment, segment

if TYPE_CHECKING:
    from holdfast.metrics.alignment import Distances
    from holdfast.metrics.facts import Comparer, Conflict

TAIL = 0.25
"""The share of the mass that `tail_drift` looks at: the worst quarter."""

MAX_SEGMENTS = 1_000
"""Longer answers are compared up to here, with a warning."""

BREAK = 0.44
"""From this `max_drift` on an answer counts as another one. `holdfast calibrate` fits 0.36 for minilm and sentences;
here half as many reworded answers count, and one changed answer in a hundred fewer."""

DRIFTS = ("max_drift", "tail_drift", "mean_drift", "global_drift", "hidden_drift", "lost_mass", "added_mass")


class SegmentDrift(NamedTuple):
    """One segment, how far it drifted in [0, 1], the segment of the other answer that most of it went to, and why."""

    segment: Segment
    drift: float
    partner: Segment | None
    reason: str


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a perturbed answer moved from the clean one, each number in [0, 1] (DESIGN 4).

    `max_drift` is the worst segment's, of either answer; `tail_drift` the CVaR of the worst quarter of the mass;
    `mean_drift` the transport cost; `global_drift` the distance of the whole answers; `hidden_drift` what the worst
    segment shows and the whole does not; `lost_mass` and `added_mass` the shares of the clean and of the perturbed
    answer that resemble nothing in the other. `clean` and `perturbed` hold the segments of either side, `encoder` the
    name of the encoder that could read both texts.
    """

    max_drift: float = 0.0
    tail_drift: float = 0.0
    mean_drift: float = 0.0
    global_drift: float = 0.0
    hidden_drift: float = 0.0
    lost_mass: float = 0.0
    added_mass: float = 0.0
    clean: tuple[SegmentDrift, ...] = ()
    perturbed: tuple[SegmentDrift, ...] = ()
    encoder: str = ""

    def scores(self) -> Scores:
        """The numbers alone, by name."""
        return {name: getattr(self, name) for name in DRIFTS}

    @property
    def worst(self) -> SegmentDrift | None:
        """The segment that drifted most, the clean side's on a tie; None where nothing drifted."""
        worst = max((*self.clean, *self.perturbed), key=lambda part: part.drift, default=None)
        return worst if worst and worst.drift > 0 else None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why segments drifted, each reason once, the worst segment's first."""
        moved = sorted((*self.clean, *self.perturbed), key=lambda part: -part.drift)
        return tuple(dict.fromkeys(part.reason for part in moved if part.reason))


@collection_paused()
def segment_drift(
    clean: Sequence[str],
    perturbed: Sequence[str],
    *,
    encoding: Encoding | None = None,
    granularity: Granularity = "sentence",
    pipeline: str | None = None,
) -> list[Drift]:
    """Align each clean answer with its perturbed one and measure every segment's drift; one result per pair.

    Segment i of the clean answer drifts by d_i = sum_j P_ij C_ij / a_i, where P is the optimal transport plan between
    the segments' masses under C_ij = max(1 - cos(e_i, e_j), fact_ij); the other side likewise. Both answers empty: all
    0; one empty: all 1, but `hidden_drift`, which is 0. Without `encoding` the default encoder reads the texts.
    Polite phrases around an answer ("Sure!", `holdfast.metrics.chat`) are no part of it, unless it has no other.
    Identical answers are never encoded; all other texts are encoded once, in one call. `pipeline` names an installed
    spaCy pipeline that finds the sentences, and adds its entities and its parse to the facts. Raises ValueError unless
    there are equally many of both, TypeError for a bare string and for what is none.

    >>> from holdfast.metrics.encoders.encoder import encoding_of
    >>> before, after = "Anna meets Ben. They leave at 12.", "Anna meets Ben. They leave at 21."
    >>> [found] = segment_drift([before], [after], encoding=encoding_of("lexical"))
    >>> found.max_drift, found.worst.segment.text, found.worst.reason
    (1.0, 'They leave at 12.', 'number 12 -> 21')
    """
    if isinstance(clean, str) or isinstance(perturbed, str):
        raise TypeError("segment_drift compares lists of answers: pass [clean] and [perturbed], not a bare string")
    if encoding is not None and not isinstance(encoding, Encoding):
        raise TypeError(f"encoding is an Encoding, as encoding_of('lexical') gives, and no {type(encoding).__name__}")
    if len(clean) != len(perturbed):
        raise ValueError(f"{len(clean)} clean answers and {len(perturbed)} perturbed ones are no pairs")
    for side, texts in (("clean", clean), ("perturbed", perturbed)):
        wrong = next((i for i, text in enumerate(texts) if not isinstance(text, str)), None)
        if wrong is not None:
            raise TypeError(f"{side} answer {wrong} is a {type(texts[wrong]).__name__} and no text")
    changed = [i for i, pair in enumerate(zip(clean, perturbed, strict=True)) if pair[0] != pair[1]]
    if not changed:
        return [Drift()] * len(clean)
    from holdfast.metrics.alignment import Distances
    from holdfast.metrics.facts import comparer
    from holdfast.metrics.parsing import parse

    encoding = encoding or encoding_of("minilm")
    texts = list(dict.fromkeys(text for i in changed for text in (clean[i], perturbed[i])))
    parses = parse(texts, pipeline) if pipeline else None
    parts = dict(zip(texts, map(without_chat, segment(texts, granularity, parses)), strict=True))
    parsed = dict(zip(texts, parses or (), strict=False))
    _shorten(parts)
    choices = {i: encoding.choose(clean[i], perturbed[i]) for i in changed}
    found: dict[int, Drift] = {}
    for name in dict.fromkeys(choices.values()):
        mine = [i for i in changed if choices[i] == name]
        whole = dict.fromkeys(text for i in mine for text in (clean[i], perturbed[i]))
        read = {i: _mended(clean[i], perturbed[i], parts) for i in mine}
        every = chain(whole, *(side for sides in read.values() for side in sides))
        distances = Distances(every, encoding.encode(name), encoding.power(name))
        for i in mine:
            compare = comparer(*read[i], parsed.get(clean[i]), parsed.get(perturbed[i]))
            found[i] = _drift(clean[i], perturbed[i], parts, read[i], distances, compare, name)
    same = Drift()
    return [found.get(i, same) for i in range(len(clean))]


@pair_metric("segment_drift", dict.fromkeys(DRIFTS, False), needs_encoder=True)
def drift_scores(clean: Sequence[str], perturbed: Sequence[str], *, encode: Encode) -> list[Scores]:
    """The numbers of `segment_drift`, by name; identical answers give 0."""
    encoding = Encoding("given", encode)
    return [drift.scores() for drift in segment_drift(clean, perturbed, encoding=encoding)]


def _drift(
    clean: str,
    perturbed: str,
    parts: dict[str, list[Segment]],
    read: tuple[list[str], list[str]],
    distances: Distances,
    compare: Comparer,
    encoder: str,
) -> Drift:
    from holdfast.metrics.alignment import align, masses

    ours, theirs = parts[clean], parts[perturbed]
    if not ours or not theirs:
        return _one_sided(ours, theirs, encoder)
    a, b = masses([part.mass for part in ours]), masses([part.mass for part in theirs])
    found = align(distances.between(*read), a, b, distances.joint(read[0], a, read[1], b), compare)
    drifts = [*found.clean_drift, *found.perturbed_drift]
    ours_mass, theirs_mass = a.tolist(), b.tolist()
    weighed = [*zip(drifts, [mass / 2 for mass in (*ours_mass, *theirs_mass)], strict=True)]
    worst = max(drifts)
    whole = distances.of(clean, perturbed)
    return Drift(
        max_drift=worst,
        tail_drift=_tail(weighed),
        mean_drift=_clipped(sum(drift * mass for drift, mass in weighed)),
        global_drift=whole,
        hidden_drift=max(0.0, worst - whole),
        lost_mass=_clipped(sum(compress(ours_mass, found.lost))),
        added_mass=_clipped(sum(compress(theirs_mass, found.added))),
        clean=_side(ours, theirs, found.clean_partners, found.clean_drift, found.clean_reasons),
        perturbed=_side(theirs, ours, found.perturbed_partners, found.perturbed_drift, found.perturbed_reasons),
        encoder=encoder,
    )


def _mended(clean: str, perturbed: str, parts: dict[str, list[Segment]]) -> tuple[list[str], list[str]]:
    """The segments' texts, misspelt words as the other answer writes them."""
    from holdfast.language.answer_languages import languages_of
    from holdfast.language.spelling import mended

    languages = languages_of(clean, perturbed)
    language = min(languages) if len(languages) == 1 else "en"
    return mended([part.text for part in parts[clean]], [part.text for part in parts[perturbed]], language)


def _one_sided(ours: list[Segment], theirs: list[Segment], encoder: str) -> Drift:
    if not ours and not theirs:
        return Drift(encoder=encoder)
    lost = tuple(SegmentDrift(part, 1.0, None, "answer lost") for part in ours)
    added = tuple(SegmentDrift(part, 1.0, None, "answer added") for part in theirs)
    return Drift(1.0, 1.0, 1.0, 1.0, 0.0, float(bool(ours)), float(bool(theirs)), lost, added, encoder)


def _side(
    segments: list[Segment],
    others: list[Segment],
    partners: list[int],
    drifts: list[float],
    reasons: list[Conflict],
) -> tuple[SegmentDrift, ...]:
    return tuple(
        SegmentDrift(part, drift, others[partner], conflict.reason)
        for part, drift, partner, conflict in zip(segments, drifts, partners, reasons, strict=True)
    )


def _tail(drifts: Sequence[tuple[float, float]]) -> float:
    """CVaR of (drift, mass) pairs: the mean over the worst TAIL of the mass (Rockafellar and Uryasev 2000)."""
    left, total = TAIL, 0.0
    for drift, mass in sorted(drifts, reverse=True):
        total += drift * min(mass, left)
        left -= mass
        if left <= 0:
            break
    return _clipped(float(total / TAIL))


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))


def _shorten(parts: dict[str, list[Segment]]) -> None:
    """Cut answers of very many segments, in place; memory and time grow with their square."""
    long = [text for text, found in parts.items() if len(found) > MAX_SEGMENTS]
    for text in long:
        parts[text] = parts[text][:MAX_SEGMENTS]
    if long:
        warnings.warn(
            f"{len(long)} answers have more than {MAX_SEGMENTS} segments: what comes after is not compared",
            stacklevel=4,
        )
