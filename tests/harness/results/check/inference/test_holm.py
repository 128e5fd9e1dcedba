"""Holm's procedure on intervals rejects what statsmodels rejects on p-values."""

import pytest
from statsmodels.stats.multitest import multipletests

from holdfast.harness.results.check.inference.holm import holm_rejections


@pytest.mark.parametrize(
    "p_values",
    [[0.03], [0.01, 0.02], [0.03, 0.01, 0.04], [0.013, 0.012, 0.2, 0.017], [0.06, 0.001, 0.02, 0.011, 0.009]],
)
def test_rejections_are_those_of_statsmodels(p_values: list[float]) -> None:
    found = holm_rejections([lambda level, p=p: p <= level for p in p_values], 0.05)
    assert found == list(multipletests(p_values, 0.05, method="holm")[0])


def test_the_clearest_must_pass_the_strictest_level() -> None:
    asked: list[float] = []

    def rejected_at(level: float) -> bool:
        asked.append(level)
        return False

    assert holm_rejections([rejected_at] * 4, 0.05) == [False] * 4
    assert asked == pytest.approx([0.0125] * 4)


def test_no_hypotheses_no_rejections() -> None:
    assert holm_rejections([], 0.05) == []
