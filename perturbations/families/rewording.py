"""Rewording: the same request in other words."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from random import Random

from holdfast.language.languages import language_of
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
    """Ask the same thing in other words; strength says how far to go.

    Below 0.5 the text is wrapped ("Tell me: ..."). From 0.5 on, one of `paraphrases` (the sample's own, or a model's)
    takes its place; without one, a rule for questions and commands recasts it; where none fits it is wrapped, and its
    contractions are written out. From 0.75 on, a greeting or thanks join what the rules do. With one generator state
    the rules never change fewer characters at a higher strength. They keep all content words, numbers and names; a
    paraphrase that lacks something protected is passed over. There are rules for English, Hindi and Hinglish; other
    languages have only `paraphrases`.

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
        own = [other for other in paraphrases if _stands_for(other, text, kept)]
        if own:
            return Edits(text, _difference(text, rng.choice(own)))
    if not language_of(text):
        return Edits(text)
    first, second, third = rng.random(), rng.random(), rng.random()  # drawn at every strength, so that steps agree
    chosen = _pick(_allowed(wrap(text), spans), first)
    if strength >= _FAR:
        recasts = _allowed(recast(text), spans)
        further = [rewrite for rewrite in recasts if _size(rewrite) >= _size(chosen)]
        chosen = _pick(further, second) if further else _beside(_written_out(text, protect), chosen)
    if strength >= _FARTHEST:
        more = _pick(_allowed(courtesies(text), spans), third)
        chosen = merge_touching(tuple(sorted((*more, *chosen), key=lambda edit: edit.position)))
    return Edits(text, chosen)


def _written_out(text: str, protect: Sequence[str]) -> Rewrite:
    """The edits that write out all contractions."""
    edits = contractions(text, 1.0, Random(0), protect=protect).edits
    return tuple(edit for edit in edits if len(edit.inserted) > len(edit.removed))


def _beside(more: Rewrite, chosen: Rewrite) -> Rewrite:
    """`chosen`, and those of `more` that leave its places alone."""
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


def _stands_for(other: str, text: str, kept: Sequence[str]) -> bool:
    return bool(other.strip()) and other != text and all(piece in other for piece in kept)


def _allowed(rewrites: Sequence[Rewrite], spans: Sequence[tuple[int, int]]) -> list[Rewrite]:
    """The rewrites that touch no protected span; one that only inserts at the start is always among the wrappings."""

    def touches(edit: Edit) -> bool:
        end = edit.position + len(edit.removed)
        return any(start < end and edit.position < stop for start, stop in spans)

    return [rewrite for rewrite in rewrites if not any(touches(edit) for edit in rewrite)]


def _difference(text: str, other: str) -> tuple[Edit, ...]:
    """The edits, word by word, that turn `text` into `other`; for very long texts one edit around all that differs."""
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
    """The words of `text`, and its clusters between them."""
    inside = {at for start, end in words(text) for at in range(start + 1, end)}
    cuts = [at for at in cluster_starts(text) if at not in inside]
    return [text[start:end] for start, end in pairwise(cuts)]
