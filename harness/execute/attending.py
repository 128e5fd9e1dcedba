"""The attention shift of each answer, for `--attention`."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from holdfast.harness.backends.backend import AttentionQuery
from holdfast.harness.plan.plan import Item
from holdfast.metrics.adapters.attention import Span, attention_shift, back_mapping
from holdfast.metrics.drift import Drift
from holdfast.metrics.parsing import parse
from holdfast.metrics.segments import Granularity, Segment, segment

SHIFT = "attention_shift"

PROMPT_GRANULARITY: Granularity = "phrase"
"""Prompts are cut as finely as possible, since most are a single sentence within which attention shifts."""

Array = np.ndarray[Any, np.dtype[np.float64]]


class Attentive(Protocol):
    """A backend that can return attention."""

    def attention(self, query: AttentionQuery) -> Array | None:
        """Return (answer segments, prompt segments) of attention shares, rows summing to one; None if unavailable."""
        ...


class AttentionShifts:
    """The attention shifts of a run's answers; attention of clean answers is computed once and cached."""

    def __init__(self, engine: Attentive, granularity: Granularity, pipeline: str | None = None) -> None:
        self._granularity, self._pipeline = granularity, pipeline
        self._attention = lru_cache(maxsize=4096)(engine.attention)

    def of(self, item: Item, output: str, clean_output: str, drift: Drift) -> float | None:
        """Return the attention shift of one perturbed answer, in [0, 1]; None if there is nothing to compare."""
        question = item.question
        if question.shape is not None:  # its edits are of the prompt, not of the content
            return None
        task, sample = question.task, question.sample
        contents = segment((sample.content, question.variant.text), PROMPT_GRANULARITY)
        outputs: Sequence[Sequence[Segment]] = [
            [part.segment for part in drift.clean],
            [part.segment for part in drift.perturbed],
        ]
        if output == clean_output:  # then drift has no segments
            parses = parse((output,), self._pipeline) if self._pipeline else None
            outputs = segment((output,), self._granularity, parses) * 2
        if not all((*contents, *outputs)):
            return None
        prompts = task.render(sample, sample.content), question.prompt
        texts = sample.content, question.variant.text
        clean, perturbed = (
            self._attention(
                AttentionQuery(item.adapter.name, prompts[i], texts[i], _spans(contents[i]), text, _spans(outputs[i]))
            )
            for i, text in enumerate((clean_output, output))
        )
        if clean is None or perturbed is None:
            return None
        edits = [(edit.position, edit.removed, edit.inserted) for edit in question.variant.edits]
        back = back_mapping(_spans(contents[0]), _spans(contents[1]), edits)
        masses = [part.mass for part in outputs[0]]
        return attention_shift(clean, perturbed, back, _partners(outputs, drift), masses)


def _spans(parts: Sequence[Segment]) -> tuple[Span, ...]:
    return tuple((part.start, part.end) for part in parts)


def _partners(outputs: Sequence[Sequence[Segment]], drift: Drift) -> list[int]:
    """Return the index of each clean segment's counterpart; in identical answers, that is its own index."""
    if not drift.clean:
        return list(range(len(outputs[0])))
    places = {part.start: j for j, part in enumerate(outputs[1])}
    return [places[part.partner.start] if part.partner else 0 for part in drift.clean]
