"""Cache embeddings in a file next to the samples until a run is complete, so that each text is encoded once."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import numpy as np

from holdfast.metrics import Encode
from holdfast.metrics.encoders.encoder import Encoding
from holdfast.writing import named_errors

_DIGEST = 16

Vectors = np.ndarray[Any, np.dtype[np.float32]]


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

    def _append(self, digests: list[bytes], vectors: Vectors) -> None:
        first = len(self._rows)
        rows = vectors.astype(np.float32)
        with named_errors(self._path):
            self._file.seek(0, 2)
            self._file.write(b"".join(d + row.tobytes() for d, row in zip(digests, rows, strict=True)))
            self._file.flush()
        self._rows.update((digest, first + i) for i, digest in enumerate(digests))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
