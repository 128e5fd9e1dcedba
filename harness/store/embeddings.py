"""Cache embeddings in a file next to the samples until a run is complete, so that each text is encoded once."""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import numpy as np

from holdfast.metrics import Encode
from holdfast.metrics.encoders.encoder import Encoding
from holdfast.writing import named_errors

_DIGEST = 16

_SHAPE = struct.Struct("<II")

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Words = np.ndarray[Any, np.dtype[np.float16]]


@contextmanager
def cached_embeddings(folder: Path, encoding: Encoding) -> Iterator[Encoding]:
    """Yield the encoders of a run with a cache in `folder`, which is deleted if the block succeeds."""
    with ExitStack() as stack:
        paths: list[Path] = []

        def keep(name: str, encode: Encode) -> Encode:
            path = folder / f"embeddings.{len(paths)}"
            paths.append(path)
            return stack.enter_context(EmbeddingFile(path, encode))

        yield encoding.wrapped(keep)
        for path in paths:
            path.unlink()
            path.with_name(f"{path.name}.words").unlink(missing_ok=True)


class EmbeddingFile:
    """An encoder with a cache on disk, called like the encoder itself.

    The last bits of a vector depend on the batch that it was computed in. With cached vectors, a resumed run gets
    exactly the scores of an uninterrupted one, and memory use doesn't grow with the number of texts.
    """

    def __init__(self, path: Path, encode: Encode) -> None:
        self._encode = encode
        self._path = path
        self._width = len(encode(["width"])[0])
        self._record = _DIGEST + 4 * self._width
        self._rows: dict[bytes, int] = {}
        with named_errors(path):
            self._file = path.open("a+b")
        whole = path.stat().st_size // self._record
        self._file.truncate(whole * self._record)
        for row in range(whole):
            self._file.seek(row * self._record)
            self._rows[self._file.read(_DIGEST)] = row
        self._words: _WordFile | None = None
        if hasattr(encode, "with_words"):
            self._words = _WordFile(path.with_name(f"{path.name}.words"))
            self.with_words = self._with_words

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Encode n texts as (n, d) float32."""
        digests = [_digest(text) for text in texts]
        missing = {d: text for d, text in zip(digests, texts, strict=True) if d not in self._rows}
        if missing:
            self._append(list(missing), self._encode(list(missing.values())))
        vectors = np.empty((len(texts), self._width), dtype=np.float32)
        for i, digest in enumerate(digests):
            self._file.seek(self._rows[digest] * self._record + _DIGEST)
            vectors[i] = np.frombuffer(self._file.read(4 * self._width), dtype=np.float32)
        return vectors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):  # what couldn't be written before can't be now
            self._file.close()
        if self._words:
            self._words.close()

    def _with_words(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Words]]:
        """Encode n texts as (n, d), and their words, which are where `spans` says, as (words, d) for each text."""
        digests = [_digest(text) for text in texts]
        kept: Any = self._words
        missing = {
            digest: (text, each)
            for digest, text, each in zip(digests, texts, spans, strict=True)
            if digest not in kept or digest not in self._rows
        }
        if missing:
            encode: Any = self._encode
            rows, words = encode.with_words(*map(list, zip(*missing.values(), strict=True)))
            unseen = [i for i, digest in enumerate(missing) if digest not in self._rows]
            keys = list(missing)
            self._append([keys[i] for i in unseen], rows[unseen])
            kept.append(keys, words)
        return self(texts), [kept.at(digest) for digest in digests]

    def _append(self, digests: list[bytes], vectors: Vectors) -> None:
        first = len(self._rows)
        rows = vectors.astype(np.float32)
        with named_errors(self._path):
            self._file.seek(0, 2)
            self._file.write(b"".join(d + row.tobytes() for d, row in zip(digests, rows, strict=True)))
            self._file.flush()
        self._rows.update((digest, first + i) for i, digest in enumerate(digests))


class _WordFile:
    """The vectors of the words of each text: a digest, the number of words and of dimensions, then the vectors."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[bytes, tuple[int, int, int]] = {}
        with named_errors(path):
            self._file = path.open("a+b")
        end = 0
        for digest, start, words, width in self._records():
            self._places[digest] = start, words, width
            end = start + 2 * words * width
        self._file.truncate(end)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._places

    def close(self) -> None:
        with suppress(OSError):  # what couldn't be written before can't be now
            self._file.close()

    def at(self, digest: bytes) -> Words:
        """Return the vectors (words, d) of a text, float16."""
        start, words, width = self._places[digest]
        self._file.seek(start)
        return np.frombuffer(self._file.read(2 * words * width), dtype=np.float16).reshape(words, width)

    def append(self, digests: list[bytes], vectors: list[Words]) -> None:
        """Keep the vectors of texts, of which the last of one digest counts."""
        with named_errors(self._path):
            end = self._file.seek(0, 2)
            for digest, each in zip(digests, vectors, strict=True):
                head = digest + _SHAPE.pack(*each.shape)
                self._file.write(head + each.astype(np.float16).tobytes())
                self._places[digest] = end + len(head), *each.shape
                end += len(head) + 2 * each.size
            self._file.flush()

    def _records(self) -> Iterator[tuple[bytes, int, int, int]]:
        """Yield the digest, the place and the shape of each record that was written whole."""
        size = self._path.stat().st_size
        at, head = 0, _DIGEST + _SHAPE.size
        while at + head <= size:
            self._file.seek(at)
            content = self._file.read(head)
            words, width = _SHAPE.unpack(content[_DIGEST:])
            if at + head + 2 * words * width > size:
                return
            yield content[:_DIGEST], at + head, words, width
            at += head + 2 * words * width


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
