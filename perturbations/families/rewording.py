"""Paraphrases: the same request in different words."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from random import Random

from holdfast.language.detection import language_of
from holdfast.language.text import cluster_starts, words
from holdfast.perturbations.edits import Edit, Edits
from holdfast.perturbations.families.contractions import contractions
from holdfast.perturbations.families.framing import Rewrite, courtesies, merge_touching, wrap
from holdfast.perturbations.families.recasting import recast
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import protected_spans

_FAR, _FARTHEST = 0.5, 0.75
_DIFF_LIMIT = 2_000


@perturbation("paraphrase", family="rewording", light=0.25, heavy=0.75, units=None, extras=("paraphrases",))
def paraphrase(
    text: str,
    strength: float,
    rng: Random,
    *,
    protect: Sequence[str] = (),
    paraphrases: Sequence[str] = (),
) -> Edits:
    """Ask the same question in different words; strength determines how much changes.

    - Below 0.5, the text is introduced ("Tell me: ...").
    - From 0.5, it is replaced with one of `paraphrases` (the sample's own, or a model's) that keeps everything
      protected; if there is none, a rule recasts the question or command; if no rule fits, the text is introduced and
      its contractions are expanded.
    - From 0.75, the rules also add a greeting or thanks.

    For a given generator state, a higher strength never makes the rules change fewer characters. The rules keep all
    content words, numbers and names. They cover English, Hindi and Hinglish; texts in other languages are changed only
    by `paraphrases`.

    >>> paraphrase("What is the capital of France?", 0.25, Random(2)).text
    'A question: What is the capital of France?'
    >>> paraphrase("What is the capital of France?", 0.5, Random(2)).text
    'The capital of France is what?'
    >>> paraphrase("What is the capital of France?", 0.75, Random(2)).text
    'Hello! The capital of France is what?'
    >>> paraphrase("Who wrote Hamlet?", 0.75, Random(1), paraphrases=["Hamlet is by whom?"]).text
    'Hamlet is by whom?'
    """
    if strength <= 0 or not text.strip():
        return Edits(text)
    spans = protected_spans(text, protect)
    if strength >= _FAR:
        kept = [text[start:end] for start, end in spans]
        own = [other for other in paraphrases if _may_replace(other, text, kept)]
        if own:
            return Edits(text, _diff(text, rng.choice(own)))
    if language_of(text) not in ("en", "hi", "hi-Latn"):
        return Edits(text)
    first, second, third = rng.random(), rng.random(), rng.random()  # always drawn, so that strengths are comparable
    chosen = _pick(_without_protected(wrap(text), spans), first)
    if strength >= _FAR:
        recasts = _without_protected(recast(text), spans)
        further = [rewrite for rewrite in recasts if _size(rewrite) >= _size(chosen)]
        chosen = _pick(further, second) if further else _add_nonoverlapping(_expand_contractions(text, protect), chosen)
    if strength >= _FARTHEST:
        more = _pick(_without_protected(courtesies(text), spans), third)
        chosen = merge_touching(tuple(sorted((*more, *chosen), key=lambda edit: edit.position)))
    return Edits(text, chosen)


def _expand_contractions(text: str, protect: Sequence[str]) -> Rewrite:
    """Return the edits that expand all contractions."""
    edits = contractions(text, 1.0, Random(0), protect=protect).edits
    return tuple(edit for edit in edits if len(edit.inserted) > len(edit.removed))


def _add_nonoverlapping(more: Rewrite, chosen: Rewrite) -> Rewrite:
    """Return `chosen` plus the edits of `more` that don't overlap it."""
    taken = [(edit.position, edit.position + len(edit.removed)) for edit in chosen if edit.removed]
    free = [
        edit
        for edit in more
        if not any(edit.position < end and start < edit.position + len(edit.removed) for start, end in taken)
    ]
    return merge_touching(tuple(sorted((*chosen, *free), key=lambda edit: edit.position)))


def _pick(rewrites: Sequence[Rewrite], share: float) -> Rewrite:
    return rewrites[int(share * len(rewrites))]


def _size(rewrite: Rewrite) -> int:
    return sum(len(edit.removed) + len(edit.inserted) for edit in rewrite)


def _may_replace(other: str, text: str, kept: Sequence[str]) -> bool:
    return bool(other.strip()) and other != text and all(piece in other for piece in kept)


def _without_protected(rewrites: Sequence[Rewrite], spans: Sequence[tuple[int, int]]) -> list[Rewrite]:
    """Return the rewrites that touch no protected span; of the introductions, at least the pure insertion remains."""

    def touches(edit: Edit) -> bool:
        end = edit.position + len(edit.removed)
        return any(start < end and edit.position < stop for start, stop in spans)

    return [rewrite for rewrite in rewrites if not any(touches(edit) for edit in rewrite)]


def _diff(text: str, other: str) -> tuple[Edit, ...]:
    """Return the word-level edits that turn `text` into `other`; a single edit for very long texts."""
    from rapidfuzz.distance import Levenshtein

    old, new = _tokens(text), _tokens(other)
    if max(len(old), len(new)) > _DIFF_LIMIT:
        return (Edit(0, text, other),)
    offsets = [0, *accumulate(map(len, old))]
    return merge_touching(
        tuple(
            Edit(
                offsets[step.src_start],
                "".join(old[step.src_start : step.src_end]),
                "".join(new[step.dest_start : step.dest_end]),
            )
            for step in Levenshtein.opcodes(old, new)
            if step.tag != "equal"
        )
    )


def _tokens(text: str) -> list[str]:
    """Split `text` into words and, between them, grapheme clusters."""
    inside = {at for start, end in words(text) for at in range(start + 1, end)}
    cuts = [at for at in cluster_starts(text) if at not in inside]
    return [text[start:end] for start, end in pairwise(cuts)]
