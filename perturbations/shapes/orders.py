"""Other orders of some things, such as options and examples."""

import math
from collections.abc import Iterator
from random import Random


def other_orders(count: int, rng: Random) -> Iterator[tuple[int, ...]]:
    """Yield all orders of `count` things except the present one, in random sequence and each once.

    >>> sorted(other_orders(3, Random(0)))
    [(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    """
    seen = {tuple(range(count))}
    while len(seen) < math.factorial(count):
        order = tuple(rng.sample(range(count), count))
        if order not in seen:
            seen.add(order)
            yield order
