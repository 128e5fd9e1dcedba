"""Seeds for sampled answers, which depend only on the run's seed and the requests themselves."""

import hashlib
from collections.abc import Sequence

from holdfast.harness.backends.backend import Request


def seed_of(requests: Sequence[Request], bits: int) -> int:
    """Return a seed of `bits` bits (at most 64) for requests that are sampled together, from their seed and keys."""
    text = "|".join([str(requests[0].settings.seed), *(request.key for request in requests)])
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()) >> (64 - bits)
