"""Decide which of several hypotheses are rejected while all false rejections together stay at one level."""

from collections.abc import Callable, Sequence


def holm_rejections(rejected_at: Sequence[Callable[[float], bool]], alpha: float) -> list[bool]:
    """Return which hypotheses are rejected at family level `alpha` (Holm 1979, Scandinavian Journal of Statistics 6).

    Of m hypotheses, the clearest must be rejected at alpha / m, the next at alpha / (m - 1), and so on.

    Args:
        rejected_at: For each hypothesis, whether it is rejected at a given two-sided level: for a margin, whether the
            interval of confidence 1 - level lies beyond it. What is rejected at a level must be at any higher one.
        alpha: The two-sided level of the family.

    >>> holm_rejections([lambda level, p=p: p <= level for p in (0.03, 0.01, 0.04)], alpha=0.05)
    [False, True, False]
    """
    open_ = set(range(len(rejected_at)))
    while open_ and (rejected := {i for i in open_ if rejected_at[i](alpha / len(open_))}):
        open_ -= rejected
    return [i not in open_ for i in range(len(rejected_at))]
