"""Contextual vectors of words, from encoders that have them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from holdfast.language.detection import language_of
from holdfast.metrics.metric import Encode

if TYPE_CHECKING:
    from holdfast.metrics.facts import Worded


def words_by_text(texts: Iterable[str], encode: Encode) -> dict[str, Worded] | None:
    """Return the words of each text with their vectors; None if the encoder has no method `with_words`.

    The method takes n texts and, for each, the (start, end) of its words, and returns the vectors (n, d) of the texts
    and, for each text, those of its words (words, d).
    """
    import numpy as np

    from holdfast.metrics.facts import Worded, words_of

    read = getattr(encode, "with_words", None)
    if read is None:
        return None
    found = {text: words_of(text, language_of(text)) for text in texts}
    _, vectors = read(list(found), [[(word.start, word.end) for word in words] for words in found.values()])
    return {
        text: Worded(words, each.astype(np.float32)) for (text, words), each in zip(found.items(), vectors, strict=True)
    }
