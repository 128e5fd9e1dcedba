"""The words of a segment with their places, stems and weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import regex

from holdfast.language.spelling import frequency
from holdfast.language.stems import stem
from holdfast.language.unspaced import RANGES
from holdfast.metrics.facts.reading.fact_types import Facts

_PART = rf"[[\p{{L}}\p{{N}}]--[{RANGES}]][[\p{{L}}\p{{M}}\p{{N}}\u200c\u200d]--[{RANGES}]]*+"
_WORD: Any = regex.compile(rf"[{RANGES}]\p{{M}}*|{_PART}(?:['’.,:-]{_PART})*", regex.V1)
_IN_ASCII = re.compile(r"[A-Za-z0-9]+(?:['.,:-][A-Za-z0-9]+)*")
"""The words of ASCII texts. Unlike those of `holdfast.language.text`, numbers, times and abbreviations are whole, as
facts are read."""

_COMMON, _RANGE, _LEAST = 7.5, 4.5, 0.1
"""The Zipf frequency of the most common words, how far below it words weigh most, and the least weight."""


class Word(NamedTuple):
    """A word of a text: where it begins and ends, its stem, how it is written, and how much it carries, in (0, 1]."""

    start: int
    end: int
    key: str
    form: str
    weight: float


Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Worded:
    """The words of a text (n) and their contextual vectors (n, d), of length one, or zero where the encoder knows
    nothing."""

    words: Sequence[Word]
    vectors: Array

    def __add__(self, other: Worded) -> Worded:
        return Worded((*self.words, *other.words), np.concatenate([self.vectors, other.vectors]))

    def vector(self, key: str, form: str) -> Array | None:
        """Return the vector of the first word with a stem or form; None if there is none, or the encoder knows none."""
        at = next((i for i, word in enumerate(self.words) if word.key == key or word.form == form), None)
        return self.vectors[at] if at is not None and self.vectors[at].any() else None


@lru_cache(maxsize=1 << 14)
def words_of(text: str, language: str = "en") -> tuple[Word, ...]:
    """Return the words of a text; scripts without spaces between words are read by character.

    A rare word carries more than a common one: the weight falls linearly with the logarithm of its frequency.

    >>> [(word.key, round(word.weight, 1)) for word in words_of("The kettle boiled.")]
    [('the', 0.1), ('kettl', 0.9), ('boil', 0.8)]
    """
    found = _pattern(text).finditer(text)
    return tuple([Word(each.start(), each.end(), *_read(each.group(), language)) for each in found])


@lru_cache(maxsize=1 << 16)
def count_words(text: str) -> int:
    """Return how many words a text has."""
    return len(_pattern(text).findall(text))


def _pattern(text: str) -> Any:
    return _IN_ASCII if text.isascii() else _WORD


@lru_cache(maxsize=1 << 16)
def weight_of(word: str, language: str = "en") -> float:
    """Return how much a lower-case word carries, in (0, 1]."""
    return min(1.0, max(_LEAST, (_COMMON - frequency(word, language)) / _RANGE))


@lru_cache(maxsize=1 << 15)
def weights_of(facts: Facts) -> Mapping[str, float]:
    """Return the weight of each stem of a segment."""
    return {key: weight_of(facts.forms.get(key, key).lower(), facts.language) for key in facts.keys}


@lru_cache(maxsize=1 << 16)
def _read(form: str, language: str) -> tuple[str, str, float]:
    bare = form.lower().replace("’", "'").removesuffix("'s")
    return stem(bare, language), form, weight_of(bare, language)
