"""Accuracy, F1, calibration and changed labels of each adapter, clean and under each perturbation."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.harness.results.answer_frame import KEY
from holdfast.harness.results.classification.class_answers import CONFIDENCE, FLIPPED, LABEL, PREDICTED
from holdfast.harness.results.comparison import mean_over_samples
from holdfast.harness.results.statistics import FEWEST, LEVEL, RESAMPLES, Values
from holdfast.harness.store.records import CLEAN
from holdfast.metrics.classes import calibration_error, measures_of_totals
from holdfast.tasks.sample import ALL

if TYPE_CHECKING:
    import pandas as pd

FLIPS = "flip_rate"

_CELLS_AT_ONCE = 4_000_000


def class_table(answers: "pd.DataFrame") -> "pd.DataFrame | None":
    """Return a row for each adapter and task: clean, all perturbations together, and each at each severity.

    Args:
        answers: What `class_answers` returns.

    Returns:
        Accuracy, macro and weighted F1, each with its 95 % interval (Wilson, or bootstrap over samples), the expected
        calibration error where answers have likelihoods, the share of answers that give a label, and `flip_rate`, the
        share of perturbed prompts whose predicted label changes. None if no answer has a label.
    """
    import pandas as pd

    rows = []
    for (adapter, task), mine in answers.groupby(["adapter", "task"], sort=False):
        for perturbation, severity, part in _parts(mine):
            about = {"adapter": adapter, "task": task, "perturbation": perturbation, "severity": severity}
            rows.append({**about, **_row(part)})
    return pd.DataFrame(rows).round(6) if rows else None


def f1_of(answers: "pd.DataFrame") -> dict[str, float]:
    """Return macro and weighted F1 of answers, without intervals."""
    totals = _per_sample(answers).sum(0)
    return {name: float(value) for name, value in measures_of_totals(*totals).items() if name != "accuracy"}


def _parts(mine: "pd.DataFrame") -> Iterator[tuple[str, str, "pd.DataFrame"]]:
    is_clean = mine["perturbation"] == CLEAN
    yield CLEAN, "", mine[is_clean]
    if not is_clean.all():
        yield ALL, "", mine[~is_clean]
        for (perturbation, severity), part in mine[~is_clean].groupby(["perturbation", "severity"], sort=True):
            yield str(perturbation), str(severity), part


def _row(part: "pd.DataFrame") -> dict[str, Any]:
    row: dict[str, Any] = {"n": part["sample"].nunique()}
    totals = _per_sample(part)
    found = measures_of_totals(*totals.sum(0))
    low, high = _bootstrapped(totals)
    for i, (name, value) in enumerate(found.items()):
        row |= {name: float(value), f"{name}_low": low[i], f"{name}_high": high[i]}
    row |= _mean("accuracy", part.assign(hit=(part[LABEL] == part[PREDICTED]).astype(float)), "hit")
    sure = part[part[CONFIDENCE].notna()]
    right = (sure[LABEL] == sure[PREDICTED]).to_numpy(dtype=np.float64)
    row["ece"] = calibration_error(sure[CONFIDENCE].to_numpy(), right) if len(sure) else np.nan
    row["label_given"] = float((part[PREDICTED] != "").mean())
    return row | _mean(FLIPS, part, FLIPPED)


def _mean(name: str, part: "pd.DataFrame", column: str) -> dict[str, float]:
    """Return the mean of a column of zeros and ones, with its interval over samples."""
    return mean_over_samples(name, part.groupby(KEY)[column].mean().dropna().to_numpy(dtype=np.float64))


def _per_sample(part: "pd.DataFrame") -> Values:
    """Return how often each class is a hit, right and predicted in each sample's answers: (samples, 3, classes)."""
    classes = sorted({*part[LABEL], *part[PREDICTED]} - {""})
    place = {name: i for i, name in enumerate(classes)} | {"": len(classes)}
    samples, _ = part["sample"].factorize()
    right, predicted = (part[column].map(place).to_numpy(dtype=np.int64) for column in (LABEL, PREDICTED))
    totals = np.zeros((samples.max(initial=-1) + 1, 3, len(classes) + 1))
    for kind, chosen in enumerate((np.where(right == predicted, right, len(classes)), right, predicted)):
        np.add.at(totals[:, kind], (samples, chosen), 1)
    return totals[:, :, : len(classes)]


def _bootstrapped(totals: Values) -> tuple[Values, Values]:
    """Return the ends of the 95 % intervals of the measures, by the percentile bootstrap over samples."""
    from scipy.stats import bootstrap

    count = len(totals)
    if count < FEWEST:
        return np.full(3, np.nan), np.full(3, np.nan)

    def measures(chosen: Any, axis: int = -1) -> Values:
        drawn = totals[chosen].sum(-3)  # (resamples, 3, classes)
        return np.stack(list(measures_of_totals(*np.moveaxis(drawn, -2, 0)).values()))

    result = bootstrap(
        (np.arange(count),),
        measures,
        n_resamples=RESAMPLES,
        batch=max(1, _CELLS_AT_ONCE // totals.size),
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = result.confidence_interval
    same = ~(high - low > 0)
    return np.where(same, np.nan, low), np.where(same, np.nan, high)
