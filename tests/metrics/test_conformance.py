"""Every registered metric passes the conformance check."""

import pytest

from holdfast.errors import UserError
from holdfast.metrics import Metric, metrics
from holdfast.metrics.testing import check_metric


@pytest.mark.parametrize("name", metrics.names())
def test_every_registered_metric_conforms(name: str) -> None:
    check_metric(name)


def test_the_check_catches_values_outside_the_unit_interval() -> None:
    def lengths(outputs, references, metadata):
        return [{"length": float(len(output))} for output in outputs]

    with pytest.raises(AssertionError, match="length is"):
        check_metric(Metric("lengths", "sample", lengths, {"length": True}))


def test_the_check_catches_scores_that_depend_on_the_batch() -> None:
    def rank(outputs, references, metadata):
        return [{"rank": i / max(1, len(outputs))} for i, _ in enumerate(outputs)]

    with pytest.raises(AssertionError, match="alone"):
        check_metric(Metric("rank", "sample", rank, {"rank": True}))


def test_an_unknown_metric_suggests_the_closest_name() -> None:
    with pytest.raises(UserError, match="did you mean 'exact_match'"):
        metrics.get("exact_mach")
