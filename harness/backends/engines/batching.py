"""Group requests into batches: the same settings in each batch, long prompts first."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from holdfast.harness.backends.backend import Request


def batches(
    requests: Sequence[Request], lengths: Sequence[int], size: int, together: Collection[str] = ()
) -> Iterator[list[int]]:
    """Yield the batches, as lists of indices into `requests`.

    Full batches hold one adapter, which is fastest. Incomplete ones of the adapters in `together` are mixed, so that
    many adapters with few requests each need few passes; within them, requests of one adapter are adjacent. Prompts go
    from long to short: batches need little padding, and if memory runs out, it does so at the start. If a group holds
    repetitions (`Request.replicate`), its first batch is half as large, so that a repetition has different neighbours
    and padding than the original.

    Args:
        requests: The requests.
        lengths: Length of each prompt in tokens.
        size: Maximum number of requests in a batch.
        together: Names of the adapters that may share a batch.
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
