"""How well predicted classes agree with the right ones: confusion, accuracy, F1 and calibration."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

BINS = 15
"""Number of bins of the expected calibration error, as in Guo et al. 2017."""

Array = np.ndarray[Any, np.dtype[Any]]


def confusion_counts(right: Sequence[int] | Array, predicted: Sequence[int] | Array, classes: int) -> Array:
    """Return how often each class was predicted for each right one: (classes, classes + 1).

    Args:
        right: The right classes, from 0.
        predicted: The predicted ones; -1, which the last column counts, if an answer gives none.
        classes: Number of classes.

    >>> confusion_counts([0, 0, 1], [0, 1, -1], 2).tolist()
    [[1, 1, 0], [0, 0, 1]]
    """
    counts = np.zeros((classes, classes + 1), dtype=np.int64)
    np.add.at(counts, (np.asarray(right), np.asarray(predicted)), 1)
    return counts


def class_measures(counts: Array) -> dict[str, float]:
    """Return accuracy, macro F1 and weighted F1.

    F1 of a class is 2 TP / (2 TP + FP + FN). The macro average is over the classes that were right or predicted at
    least once, the weighted one counts each class as often as it was right; both as in scikit-learn. An answer without
    a class is wrong, and a false negative of its right one.

    Args:
        counts: (classes, classes + 1), as `confusion_counts` returns them.

    >>> {name: round(value, 3) for name, value in class_measures(np.array([[1, 1, 0], [0, 1, 0]])).items()}
    {'accuracy': 0.667, 'macro_f1': 0.667, 'weighted_f1': 0.667}
    """
    hits = np.diagonal(counts[:, :-1])
    found = measures_of_totals(hits, counts.sum(1), counts[:, :-1].sum(0))
    return {name: float(value) for name, value in found.items()}


def measures_of_totals(hits: Array, right: Array, predicted: Array) -> dict[str, Array]:
    """Return the same measures (...) of totals by class (..., classes): hits, right ones and predicted ones."""
    f1 = 2 * hits / np.maximum(1, right + predicted)
    seen = np.maximum(1, ((right + predicted) > 0).sum(-1))
    total = np.maximum(1, right.sum(-1))
    return {
        "accuracy": hits.sum(-1) / total,
        "macro_f1": f1.sum(-1) / seen,
        "weighted_f1": (f1 * right).sum(-1) / total,
    }


def confidence(likelihoods: Sequence[float]) -> float:
    """Return the probability of the likeliest of several choices: the softmax of their log-likelihoods; NaN for none.

    >>> round(confidence([-1.0, -1.0, -30.0]), 3)
    0.5
    """
    highest = max(likelihoods, default=math.nan)
    return 1 / sum(math.exp(each - highest) for each in likelihoods) if likelihoods else math.nan


def calibration_error(confidences: Sequence[float] | Array, hits: Sequence[float] | Array) -> float:
    """Return the expected calibration error: how far confidence and accuracy differ, weighted by bins.

    Guo et al. 2017 (arXiv 1706.04599), equation 5, with 15 bins of equal width, (0, 1/15], ..., (14/15, 1].

    Args:
        confidences: The probability of each predicted class.
        hits: 1 where it is right, else 0.

    >>> round(calibration_error([0.9, 0.9, 0.6], [1, 0, 1]), 3)
    0.4
    """
    sure, right = np.asarray(confidences, dtype=np.float64), np.asarray(hits, dtype=np.float64)
    bins = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(bins, weights=right - sure, minlength=BINS)
    return float(np.abs(gaps).sum() / max(1, len(sure)))
