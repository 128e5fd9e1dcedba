"""Planned sizes and changes agree with each other and with simulation."""

import numpy as np
from statsmodels.stats.power import normal_sample_size_one_tail

from holdfast.harness.results.check.inference.differences import Pairs, difference
from holdfast.harness.results.check.inference.planning import detectable, samples_needed


def test_the_number_of_samples_is_that_of_statsmodels() -> None:
    wanted = normal_sample_size_one_tail(0.03, 0.8, 0.025, std_null=0.02 * np.sqrt(150))
    assert samples_needed(0.02, 150, 0.03, alpha=0.05, power=0.8) == int(np.ceil(wanted))


def test_what_is_detectable_needs_just_as_many_samples() -> None:
    change = detectable(0.02, 150, 700, alpha=0.05, power=0.9)
    assert samples_needed(0.02, 150, change * 1.000001, alpha=0.05, power=0.9) == 700


def test_the_side_of_the_margin_does_not_matter() -> None:
    assert samples_needed(0.02, 150, -0.03, 0.05, 0.8) == samples_needed(0.02, 150, 0.03, 0.05, 0.8)


def test_no_number_of_samples_decides_at_the_margin() -> None:
    assert samples_needed(0.02, 150, 0.0, 0.05, 0.8) is None


def test_no_plan_goes_below_the_fewest_samples() -> None:
    assert samples_needed(0.001, 150, 0.5, 0.05, 0.8) == 10


def test_the_planned_number_has_the_planned_power() -> None:
    rng = np.random.default_rng(0)

    def pairs(samples: int) -> Pairs:
        old = rng.random(samples) < 0.8
        new = np.where(rng.random(samples) < 0.2, rng.random(samples) < 0.8, old)
        return Pairs(old.astype(float), new.astype(float), np.arange(samples))

    pilot = difference(pairs(2000))
    needed = samples_needed(pilot.se, pilot.clusters, 0.05, alpha=0.05, power=0.8)
    assert needed is not None
    passes = sum(difference(pairs(needed)).interval(0.95)[0] > -0.05 for _ in range(500))
    assert 0.73 < passes / 500 < 0.87
