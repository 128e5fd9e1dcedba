"""The `lexical` encoder: hashed character n-grams, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from holdfast.metrics.encoders.encoder import encoder
from holdfast.metrics.metric import Encode

if TYPE_CHECKING:
    import numpy as np

DIMENSIONS = 1024
GRAM_SIZES = (2, 3, 4)
_AT_ONCE = 64


@encoder("lexical", power=2.0)
def lexical() -> Encode:
    """Hashed character n-grams, in any script; needs no model or download, and gives the same bits on every machine."""
    return _lexical


def _lexical(texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return (n, 1024) float32 unit vectors: signed hashes of the casefolded text's 2-, 3- and 4-grams, with square
    roots of the counts (feature hashing, Weinberger et al. 2009)."""
    import numpy as np

    rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for start in range(0, len(texts), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]  # in blocks that fit into the processor's cache
        some[:] = _counts(texts[start : start + _AT_ONCE])
        np.copysign(np.sqrt(np.abs(some)), some, out=some)
        lengths = np.linalg.norm(some, axis=1, keepdims=True)
        np.divide(some, lengths, out=some, where=lengths > 0)
    return rows


def _counts(texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the sums of the signs of each text's n-grams by their hash (n, 1024)."""
    import numpy as np

    spaced = [f" {' '.join(text.casefold().split())} " for text in texts]
    lengths = np.array([len(text) for text in spaced])
    codes = np.frombuffer("".join(spaced).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    of = np.repeat(np.arange(len(texts)), lengths)
    found = np.zeros(len(texts) * DIMENSIONS)
    for size in GRAM_SIZES:
        count = len(codes) - size + 1
        if count < 1:
            continue
        grams = sum(codes[i : count + i] * np.uint64(_multiplier(size, i)) for i in range(size))
        whole = of[:count] == of[size - 1 :]  # within one text
        hashes = _mix(np.asarray(grams)[whole])
        signs = np.where(hashes >> np.uint64(63), 1.0, -1.0)
        places = of[:count][whole] * DIMENSIONS + (hashes % np.uint64(DIMENSIONS)).astype(np.int64)
        found += np.bincount(places, signs, len(found))
    return found.reshape(len(texts), DIMENSIONS)


def _multiplier(size: int, place: int) -> int:
    return 0x9E3779B97F4A7C15 * (2 * (7 * size + place) + 1) % 2**64


def _mix(hashes: np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Apply SplitMix64's finaliser, which makes every output bit depend on every input bit."""
    import numpy as np

    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(31))
