"""What do the answers that got worse have in common? A perturbation, a severity, or words of the prompt."""

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from holdfast.harness.results.check.answers import Answers
from holdfast.harness.results.check.outcome import Trait
from holdfast.harness.results.check.primary import Primary
from holdfast.harness.results.check.worst_answers import harm

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.05
"""Largest corrected p-value of a trait that is reported."""

_MOST = 3
_FEWEST = 5
_WORD = re.compile(r"\w[\w'-]*")


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
    found = []
    for what, table in tests:
        p = _fisher(table) * len(tests)
        with_it, without = table
        if p <= LEVEL:
            found.append(Trait(what, with_it[0] / sum(with_it), without[0] / sum(without), p))
    return tuple(sorted(found, key=lambda trait: (trait.p, trait.what))[:_MOST])


Table = tuple[tuple[int, int], tuple[int, int]]
"""Samples that got worse and that didn't: those with a trait, and those without."""


def _of_variants(rows: "pd.DataFrame") -> list[tuple[str, Table]]:
    tests = []
    for name in ("perturbation", "severity"):
        values = [value for value in rows[name].unique() if value]
        for value in values if len(values) > 1 else ():
            chosen = rows[name] == value
            tests.append((f"{name} {value}", (_worse(rows[chosen]), _worse(rows[~chosen]))))
    return tests


def _of_prompts(rows: "pd.DataFrame", new: Answers) -> list[tuple[str, Table]]:
    """Return a test for each word that some but not all clean prompts have."""
    if rows.empty:
        return []
    worse = rows.groupby("sample")["harm"].mean() > 1e-12
    task = str(rows["task"].iloc[0])
    samples_with: defaultdict[str, set[str]] = defaultdict(set)
    for sample in worse.index:
        for word in {word.lower() for word in _WORD.findall(new.prompts.get((task, sample), ""))}:
            samples_with[word].add(sample)
    total, bad = len(worse), int(worse.sum())
    tests = []
    for word, samples in samples_with.items():
        marked = worse[worse.index.isin(samples)]
        if _FEWEST <= len(marked) <= total - _FEWEST:
            hits = int(marked.sum())
            without = (bad - hits, total - len(marked) - bad + hits)
            tests.append((f"the prompt has '{word}'", ((hits, len(marked) - hits), without)))
    return tests


def _worse(rows: "pd.DataFrame") -> tuple[int, int]:
    means = rows.groupby("sample")["harm"].mean()
    bad = int((means > 1e-12).sum())
    return bad, len(means) - bad


def _fisher(table: Table) -> float:
    """Return the one-sided p-value of Fisher's exact test."""
    from scipy.stats import hypergeom

    (hits, rest), (others, others_rest) = table
    total = hits + rest + others + others_rest
    return float(np.clip(hypergeom.sf(hits - 1, total, hits + others, hits + rest), 0, 1))
