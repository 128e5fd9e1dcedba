"""Remembers the vectors of texts across calls, up to a limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from holdfast.metrics.metric import Encode

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[Any, Any]

LIMIT = 2**28
"""Bytes of vectors that are kept for each encoder, the last used ones."""


class Remembered:
    """An encoder that encodes each text once; called like the encoder itself, with its `with_words` if it has that."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._rows = _Memory()
        self._words = _Memory()
        if hasattr(encode, "with_words"):
            self.with_words = self._with_words

    def __call__(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        missing = [text for text in dict.fromkeys(texts) if text not in self._rows]
        if not missing:
            return np.stack([self._rows[text] for text in texts]) if texts else self._encode(texts)
        found = dict(zip(missing, self._encode(missing), strict=True))
        rows = np.stack([found[text] if text in found else self._rows[text] for text in texts])
        self._rows.keep(found)
        return rows

    def _with_words(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        """Return the vectors of texts and of their words (see `Remembered`); a text has one division into words."""
        missing = {text: each for text, each in zip(texts, spans, strict=True) if text not in self._words}
        found: dict[str, Vectors] = {}
        if missing:
            rows, words = self._encode.with_words(list(missing), list(missing.values()))  # type: ignore[attr-defined]
            self._rows.keep(dict(zip(missing, rows, strict=True)))
            found = dict(zip(missing, words, strict=True))
        vectors = [found[text] if text in found else self._words[text] for text in texts]
        self._words.keep(found)
        return self(texts), vectors


class _Memory(OrderedDict[str, "Vectors"]):
    """The last used vectors, up to LIMIT bytes."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def __getitem__(self, text: str) -> Vectors:
        self.move_to_end(text)
        return super().__getitem__(text)

    def keep(self, found: dict[str, Vectors]) -> None:
        unseen = {text: each for text, each in found.items() if text not in self}
        self.update(unseen)
        self._bytes += sum(each.nbytes for each in unseen.values())
        while self._bytes > LIMIT:
            self._bytes -= self.popitem(last=False)[1].nbytes
