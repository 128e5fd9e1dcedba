"""Which requests share a forward pass: one setting per batch, long prompts first, like with like."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from holdfast.harness.backends.backend import Request


def batches(
    requests: Sequence[Request], lengths: Sequence[int], size: int, together: Collection[str] = ()
) -> Iterator[list[int]]:
    """Indices of `requests`, batch by batch.

    Full batches are of one adapter, which is the fastest; what is left over of the adapters `together` is mixed, so
    that many adapters with a few requests each cost a few passes; those of one adapter stand together in it. Prompts
    go from long to short, so that a batch pads little and memory runs out first, if at all. Where a request repeats
    another on purpose the first batch is half as large: the repetition then has other neighbours and another padding
    than the first time.
    """

    def cut(members: list[int]) -> Iterator[list[int]]:
        repeats = any(requests[i].replicate for i in members)
        first = max(1, size // 2) if repeats else size
        yield members[:first]
        yield from (members[i : i + size] for i in range(first, len(members), size))

    order = sorted(range(len(requests)), key=lambda i: (requests[i].adapter, _kind(requests[i]), -lengths[i]))
    left: dict[tuple[bool, str], list[int]] = {}
    for (adapter, kind), group in groupby(order, key=lambda i: (requests[i].adapter, _kind(requests[i]))):
        for batch in cut(list(group)):
            if adapter in together and len(batch) < size:
                left.setdefault(kind, []).extend(batch)
            else:
                yield batch
    for mixed in left.values():
        for batch in cut(sorted(mixed, key=lambda i: -lengths[i])):
            yield sorted(batch, key=lambda i: requests[i].adapter)


def _kind(request: Request) -> tuple[bool, str]:
    return bool(request.choices), repr(request.settings)
