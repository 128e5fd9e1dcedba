"""What a sampled answer depends on: the run's seed and the requests it is generated for, and nothing before them."""

import hashlib
from collections.abc import Sequence

from holdfast.harness.backends.backend import Request


def seed_of(requests: Sequence[Request], bits: int) -> int:
    """A seed of so many bits for requests that are sampled together, from their seed and their keys."""
    text = "|".join([str(requests[0].settings.seed), *(request.key for request in requests)])
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()) >> (64 - bits)
