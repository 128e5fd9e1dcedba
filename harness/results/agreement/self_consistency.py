"""Self-consistency: do the answers to variants of one sample say it in the same words?"""

from collections.abc import Callable
from itertools import combinations
from statistics import fmean
from sys import intern
from typing import TYPE_CHECKING

import numpy as np

from holdfast.harness.results.answer_frame import KEY
from holdfast.harness.results.statistics import column_means, mean_intervals
from holdfast.harness.store.lines import Line
from holdfast.harness.store.records import IDENTITY
from holdfast.language.compared_words import compared_words

if TYPE_CHECKING:
    import pandas as pd

WORDED = "worded"
"""The column with the words of each answer (see `word_codes`)."""

_NAME = "self_consistency"
_CHARACTERS = 0x110000


def word_codes() -> Callable[[Line], str]:
    """Return a function that writes an answer of a run with one character for each word, equal for equal words.

    So a million answers fit in memory, and are compared as fast as strings. (After a million different words,
    characters are used again.)
    """
    codes: dict[str, str] = {}

    def code(word: str) -> str:
        return codes.setdefault(word, chr(len(codes) % _CHARACTERS))

    def coded(line: Line) -> str:
        return intern("".join(map(code, compared_words(line["output"]))))

    return coded


def self_consistency(answers: "pd.DataFrame") -> dict[str, float]:
    """Return the mean ROUGE-L between the answers to one sample, over samples, with its 95 % interval.

    For each sample, every two of its answers are compared, that to the clean prompt and those to variants which expect
    the same; no reference is needed. ROUGE-L's F-measure is twice the longest common subsequence of words by the number
    of words of both, which is rapidfuzz's normalised indel similarity. The prompt that is asked again unchanged is left
    out: it measures the noise floor.

    Returns:
        Nothing if no sample has two answers.
    """
    from rapidfuzz.distance import Indel

    alike = answers[(answers["perturbation"] != IDENTITY) & ~answers["directed"].astype(bool)]
    found = [
        fmean(Indel.normalized_similarity(one, other) for one, other in combinations(said, 2))
        for said in alike.groupby(KEY, sort=False)[WORDED].agg(list)
        if len(said) > 1
    ]
    if not found:
        return {}
    values = np.asarray(found, dtype=np.float64)[:, None]
    low, high = mean_intervals(values)
    return {_NAME: column_means(values)[0], f"{_NAME}_low": low[0], f"{_NAME}_high": high[0]}
