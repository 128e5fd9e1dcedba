"""Faithfulness of a summary: whether its source entails each of its sentences, by a model that a run names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from holdfast.metrics.metric import Metadata, Scores, sample_metric

if TYPE_CHECKING:
    from holdfast.metrics.comparers.entailment import Entailment, Pair

SUPPORT = "sentence_support"
"""The metadata with the probability that the source entails each sentence of the answer (see `support`)."""

Lengths = Callable[[Sequence[str]], Sequence[int]]


class Entails(Protocol):
    """What `support` asks, such as `holdfast.metrics.comparers.nli.Classifier`."""

    def __call__(self, pairs: Sequence[Pair]) -> Sequence[Entailment]:
        """Answer (premise, hypothesis) pairs, in order."""
        ...

    def lengths(self, texts: Sequence[str]) -> Sequence[int]:
        """Return the number of tokens of each text."""
        ...

    def room(self, hypothesis: str) -> int:
        """Return how many tokens a premise of this hypothesis may have."""
        ...


@sample_metric("faithfulness", {"faithfulness": True, "faithfulness_min": True})
def faithfulness(
    outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
) -> list[Scores]:
    """Score how far the source entails the sentences of the output: the mean, and the worst sentence.

    The model of `--faithfulness` is asked before; an answer without a sentence has no score.

    >>> faithfulness(["Anna left. Ben won."], [[]], [{"sentence_support": [1.0, 0.5]}])
    [{'faithfulness': 0.75, 'faithfulness_min': 0.5}]
    """
    return [
        {"faithfulness": sum(found) / len(found), "faithfulness_min": min(found)} if found else {}
        for found in (about.get(SUPPORT) for about in metadata)
    ]


def support(outputs: Sequence[str], sources: Sequence[str], entails: Entails) -> list[list[float]]:
    """Return, for each sentence of each output, the highest probability with which a part of its source entails it.

    The parts are the source's sentences (SummaC-ZS; Laban et al. 2022, section 3) and the whole, for what only several
    sentences say together; a whole that the model can't read at once is cut into windows.

    Args:
        outputs: The texts to check.
        sources: What each must follow from.
        entails: The model.

    Returns:
        A list per output, empty for one without sentences.
    """
    from holdfast.metrics.segments import segment

    said = [[part.text for part in parts] for parts in segment(outputs)]
    parts: dict[tuple[str, int], list[str]] = {}
    premises: list[list[str]] = []
    for sentences, source in zip(said, sources, strict=True):
        room = min(map(entails.room, sentences), default=0)
        if sentences and (source, room) not in parts:
            parts[source, room] = [*_sentences_and_windows(source, room, entails.lengths)]
        premises.append(parts.get((source, room), []))
    pairs = dict.fromkeys(
        (premise, sentence)
        for sentences, mine in zip(said, premises, strict=True)
        for sentence in sentences
        for premise in mine
    )
    answers = dict(zip(pairs, entails(list(pairs)), strict=True)) if pairs else {}
    return [
        [max((answers[premise, sentence].entails for premise in mine), default=0.0) for sentence in sentences]
        for sentences, mine in zip(said, premises, strict=True)
    ]


def _sentences_and_windows(source: str, room: int, lengths: Lengths) -> Iterator[str]:
    """Yield the sentences of a text, and windows of as many as fit; each begins with the last of the one before."""
    from holdfast.metrics.segments import segment

    spans = [span for part in segment([source])[0] for span in _fitting(source, part.start, part.end, room, lengths)]
    sizes = lengths([source[start:end] for start, end in spans])
    for start, end in spans:
        yield source[start:end]
    first = 0
    while first < len(spans):
        last, used = first, sizes[first]
        while last + 1 < len(spans) and used + sizes[last + 1] <= room:
            last += 1
            used += sizes[last]
        yield source[spans[first][0] : spans[last][1]]
        first = len(spans) if last + 1 == len(spans) else max(first + 1, last)


def _fitting(source: str, start: int, end: int, room: int, lengths: Lengths) -> list[tuple[int, int]]:
    """Return a sentence's span, or if it is too long those of its halves, and so on."""
    if end - start < 2 or lengths([source[start:end]])[0] <= room:
        return [(start, end)]
    middle = (start + end) // 2
    space = source.find(" ", middle, end - 1)
    cut = space + 1 if space >= 0 else middle
    return [
        *_fitting(source, start, cut, room, lengths),
        *_fitting(source, cut, end, room, lengths),
    ]
