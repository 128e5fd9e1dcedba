"""Which requests share a forward pass: one adapter and one setting per batch, long prompts first, like with like."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from holdfast.harness.backends.types import Request


def batches(requests: Sequence[Request], lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Indices of `requests`, batch by batch.

    Within an adapter and a setting, prompts go from long to short, so that a batch pads little and memory runs out
    first, if at all. Where a request repeats another on purpose the first batch is half as large: the repetition
    then has other neighbours and another padding than the first time.
    """
    order = sorted(range(len(requests)), key=lambda i: (_group(requests[i]), -lengths[i]))
    for _, group in groupby(order, key=lambda i: _group(requests[i])):
        members = list(group)
        repeats = any(requests[i].replicate for i in members)
        first = max(1, size // 2) if repeats else size
        yield members[:first]
        yield from (members[i : i + size] for i in range(first, len(members), size))


def _group(request: Request) -> tuple[str, bool, str]:
    return request.adapter, bool(request.choices), repr(request.settings)
