"""What do the answers that got worse have in common? A perturbation, a severity, or words of the prompt."""

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from holdfast.harness.results.check.answers import Answers
from holdfast.harness.results.check.outcome import Trait
from holdfast.harness.results.check.primary import Primary
from holdfast.harness.results.check.worst_answers import TINY, harm
from holdfast.language.text import lower_words

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.05
"""Largest corrected p-value of a trait that is reported."""

_MOST = 3
_FEWEST = 5


def common_traits(primary: Primary, new: Answers) -> tuple[Trait, ...]:
    """Return the traits with which answers got worse more often than without them, clearest first.

    Each is tested by Fisher's exact test over samples, one-sided; p-values are corrected for the number of traits by
    Bonferroni's method. A sample counts as worse by its mean over the answers concerned.

    Args:
        primary: The metric by which answers got worse.
        new: The candidate, whose prompts are read.
    """
    rows = primary.rows.assign(harm=harm(primary)).dropna(subset="harm")
    tests = [*_of_variants(rows), *_of_prompts(rows, new)]
    if not tests:
        return ()
    counts = np.array([test.counts for test in tests])
    ps = np.minimum(1.0, _fisher(counts) * len(tests))
    hits, rest, others, others_rest = counts.T
    shares, elsewhere = hits / (hits + rest), others / (others + others_rest)
    found = [
        Trait(test.what, float(share), float(other), float(p))
        for test, share, other, p in zip(tests, shares, elsewhere, ps, strict=True)
        if p <= LEVEL
    ]
    return tuple(sorted(found, key=lambda trait: (trait.p, trait.what))[:_MOST])


class _Test(NamedTuple):
    """A trait to test: the samples with it that got worse and that didn't, and the same for those without it."""

    what: str
    counts: tuple[int, int, int, int]


def _of_variants(rows: "pd.DataFrame") -> list[_Test]:
    """Return a test for each perturbation and severity, if there are several."""
    tests = []
    for name in ("perturbation", "severity"):
        values = [value for value in rows[name].unique() if value]
        for value in values if len(values) > 1 else ():
            chosen = rows[name] == value
            tests.append(_Test(f"{name} {value}", (*_worse(rows[chosen]), *_worse(rows[~chosen]))))
    return tests


def _of_prompts(rows: "pd.DataFrame", new: Answers) -> list[_Test]:
    """Return a test for each word that at least five but not all clean prompts have."""
    if rows.empty:
        return []
    task = str(rows["task"].iloc[0])
    worse = rows.groupby("sample")["harm"].mean() > TINY
    having: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for sample, bad in worse.items():
        words = set(lower_words(new.prompts.get((task, str(sample)), "")))
        having.update(words)
        hits.update(words if bad else ())
    total, bad_ones = len(worse), int(worse.sum())
    return [
        _Test(
            f"the prompt has '{word}'",
            (hits[word], count - hits[word], bad_ones - hits[word], total - count - bad_ones + hits[word]),
        )
        for word, count in having.items()
        if _FEWEST <= count <= total - _FEWEST
    ]


def _worse(rows: "pd.DataFrame") -> tuple[int, int]:
    means = rows.groupby("sample")["harm"].mean()
    bad = int((means > TINY).sum())
    return bad, len(means) - bad


def _fisher(counts: "np.ndarray[Any, np.dtype[np.int64]]") -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return the one-sided p-values of Fisher's exact test for tables given as rows of four counts."""
    from scipy.stats import hypergeom

    hits, rest, others, _ = counts.T
    p: np.ndarray[Any, np.dtype[np.float64]] = hypergeom.sf(hits - 1, counts.sum(axis=1), hits + others, hits + rest)
    return p.clip(0, 1)
