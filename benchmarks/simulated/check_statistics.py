"""Measure the intervals and decisions of `holdfast check` on simulated adapters: coverage, errors, power, looks.

    python benchmarks/simulated/check_statistics.py [--comparisons 2000]

Old and new values of a sample share most of what makes it hard (correlation 0.8), and so do its rows (0.5). `correct`
is right or wrong with the given chances of old and new; `drift` is 0 except for the given shares of old and new rows,
and between 0 and 1 with mean 0.2 there. A miss is an interval that doesn't contain the true value: `false fail` if it
lies on the bad side of it, `false pass` if on the good side. These are the chances that a candidate exactly at its
margin fails or passes; each should be at most 2.5 %.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import bootstrap, ttest_1samp, ttest_ind

from holdfast.harness.results.check.inference.alpha_spending import LOOKS, look_confidences
from holdfast.harness.results.check.inference.differences import Estimate, Pairs, difference, mean
from holdfast.harness.results.check.inference.holm import holm_rejections
from holdfast.harness.results.statistics import Values

SIZES = (10, 20, 50, 200, 1000)
ROWS = (1, 4, 8)
PAIRED, TOGETHER = 0.8, 0.5
MARGIN = 0.05


@dataclass(frozen=True)
class Setting:
    """How old and new values come about."""

    kind: str
    """`correct` (the higher the better) or `drift` (the lower the better)."""
    old: float
    new: float

    def __str__(self) -> str:
        return f"{self.kind} {self.old:g} -> {self.new:g}"

    @property
    def change(self) -> float:
        return self.expected(self.new) - self.expected(self.old)

    def expected(self, share: float) -> float:
        return share if self.kind == "correct" else 0.2 * share

    def draw(self, rng: np.random.Generator, samples: int, rows: int) -> tuple[Values, Values]:
        """Return old and new values, each (samples, rows)."""
        common = _latent(rng, samples, rows)
        return self._values(rng, common, self.old), self._values(rng, common, self.new)

    def _values(self, rng: np.random.Generator, common: Values, share: float) -> Values:
        latent = sqrt(PAIRED) * common + sqrt(1 - PAIRED) * _latent(rng, *common.shape)
        if self.kind == "correct":
            return (latent < ndtri(share)).astype(np.float64)
        beyond = np.clip(1 - ndtr(latent), 0, share) / share  # 1 where there is no drift
        return 1 - beyond**0.25  # Beta(1, 4) where there is


def _latent(rng: np.random.Generator, samples: int, rows: int) -> Values:
    shared = rng.standard_normal((samples, 1))
    return sqrt(TOGETHER) * shared + sqrt(1 - TOGETHER) * rng.standard_normal((samples, rows))


SETTINGS = (
    Setting("correct", 0.5, 0.5),
    Setting("correct", 0.95, 0.95),
    Setting("correct", 0.95, 0.85),
    Setting("correct", 0.99, 0.99),
    Setting("correct", 0.99, 0.95),
    Setting("drift", 0.5, 0.5),
    Setting("drift", 0.2, 0.2),
    Setting("drift", 0.05, 0.05),
    Setting("drift", 0.1, 0.3),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=2000, help="number of simulated comparisons per setting")
    count = parser.parse_args().comparisons
    print(f"{count} comparisons per setting; shares in %, intervals of 95 %")
    print_coverage("new - old", count, lambda setting, old, new, of: (difference(Pairs(old, new, of)), setting.change))
    print_coverage("new alone", count, lambda setting, old, new, of: (mean(new, of), setting.expected(setting.new)))
    print_other_methods(count)
    print_power(count)
    print_looks(count)
    print_families(count)


def print_coverage(
    title: str,
    count: int,
    estimated: Callable[[Setting, Values, Values, np.ndarray], tuple[Estimate, float]],
) -> None:
    """Print coverage and misses of an estimate in all settings."""
    print(f"\n{title:<24}{'rows':>6}{'samples':>9}{'coverage':>10}{'false fail':>12}{'false pass':>12}{'width':>8}")
    covered: list[tuple[int, float]] = []
    for setting in SETTINGS:
        for rows in ROWS:
            for samples in SIZES:
                of = np.repeat(np.arange(samples), rows)
                ends, truth = [], 0.0
                for rng in generators(count, samples, rows, setting):
                    old, new = setting.draw(rng, samples, rows)
                    estimate, truth = estimated(setting, old.ravel(), new.ravel(), of)
                    ends.append(estimate.interval(0.95))
                low, high = np.array(ends).T
                below, above = 100 * float((high < truth - 1e-12).mean()), 100 * float((low > truth + 1e-12).mean())
                fails, passes = (below, above) if setting.kind == "correct" else (above, below)
                covered.append((samples, 100 - below - above))
                print(
                    f"{setting!s:<24}{rows:>6}{samples:>9}{100 - below - above:>10.1f}{fails:>12.1f}{passes:>12.1f}"
                    f"{(high - low).mean():>8.3f}",
                    flush=True,
                )
    for samples in SIZES:
        mine = np.array([share for size, share in covered if size == samples])
        inside = int(((mine >= 93) & (mine <= 97)).sum())
        print(
            f"{samples:>5} samples: coverage from {mine.min():.1f} to {mine.max():.1f}; "
            f"93 to 97 in {inside} of {len(mine)} settings, below in {(mine < 93).sum()}, above in {(mine > 97).sum()}"
        )


def print_other_methods(count: int, samples: int = 20) -> None:
    """Print the coverage of the usual intervals, from scipy, wherever at least one sample changed otherwise."""
    print(f"\n{f'{samples} samples, new - old':<24}{'rows':>6}{'ours':>10}{'t':>10}{'BCa':>10}")
    for setting in SETTINGS:
        for rows in (1, 8):
            drawn = [setting.draw(rng, samples, rows) for rng in generators(count, samples, rows, setting)]
            changes = np.array([(new - old).mean(axis=1) for old, new in drawn])
            of = np.repeat(np.arange(samples), rows)
            found = [difference(Pairs(old.ravel(), new.ravel(), of)).interval(0.95) for old, new in drawn]
            ours = np.array(found).T
            varying = changes[np.ptp(changes, axis=1) > 0]
            student = ttest_1samp(varying, 0, axis=1).confidence_interval(0.95)
            rng = np.random.default_rng(0)
            resampled = bootstrap((varying,), np.mean, axis=1, n_resamples=999, batch=100, method="BCa", rng=rng)
            intervals = (ours, student, resampled.confidence_interval)
            shares = [share_covering(low, high, setting.change) for low, high in intervals]
            print(f"{setting!s:<24}{rows:>6}" + "".join(f"{share:>10.1f}" for share in shares), flush=True)


def share_covering(low: Values, high: Values, truth: float) -> float:
    return 100 * float(((low <= truth + 1e-12) & (high >= truth - 1e-12)).mean())


def print_power(count: int) -> None:
    """Print how often a candidate that is as good passes, with pairing and by Welch's test of the same values."""
    print(f"\n{f'as good, margin {MARGIN}':<24}{'rows':>6}{'samples':>9}{'paired':>10}{'unpaired':>10}{'worth':>8}")
    for setting in (SETTINGS[0], SETTINGS[1], SETTINGS[5], SETTINGS[6]):
        sign = 1 if setting.kind == "correct" else -1
        for rows in (1, 4):
            for samples in (50, 200, 1000):
                of, paired, unpaired, worth = np.repeat(np.arange(samples), rows), 0, 0, []
                for rng in generators(count, samples, rows, setting):
                    old, new = setting.draw(rng, samples, rows)
                    low, high = difference(Pairs(old.ravel(), new.ravel(), of)).interval(0.95)
                    paired += (low > -MARGIN) if sign > 0 else (high < MARGIN)
                    a, b = old.mean(axis=1), new.mean(axis=1)
                    ends = (
                        ttest_ind(b, a, equal_var=False).confidence_interval(0.95) if np.ptp(a) and np.ptp(b) else None
                    )
                    unpaired += ends is not None and ((ends.low > -MARGIN) if sign > 0 else (ends.high < MARGIN))
                    if changed := (b - a).var():
                        worth.append((a.var() + b.var()) / changed)
                print(
                    f"{setting!s:<24}{rows:>6}{samples:>9}{100 * paired / count:>10.1f}{100 * unpaired / count:>10.1f}"
                    f"{np.median(worth):>8.1f}",
                    flush=True,
                )


def print_looks(count: int, samples: int = 400) -> None:
    """Print decisions and the share of samples used when looking at 25, 50, 75 and 100 %."""
    confidences = look_confidences(0.05)
    print(f"\nlooks at 25, 50, 75, 100 % of {samples} samples with 4 rows, margin {MARGIN}, correct 0.9 before")
    print(
        f"{'candidate':<24}{'pass':>8}{'fail':>8}{'undecided':>11}{'samples used':>14}{'one look: pass':>16}{'fail':>8}"
    )
    for name, new in (
        ("better by 0.05", 0.95),
        ("as good", 0.90),
        ("exactly at the margin", 0.85),
        ("worse by 0.10", 0.80),
        ("worse by 0.20", 0.70),
    ):
        setting = Setting("correct", 0.9, new)
        verdicts = {"pass": 0, "fail": 0, "": 0}
        single = dict(verdicts)
        used = 0.0
        for rng in generators(count, samples, 4, setting):
            old, new_values = setting.draw(rng, samples, 4)
            for share, confidence in zip(LOOKS, confidences, strict=True):
                found = verdict(old, new_values, round(share * samples), confidence)
                if found:
                    break
            verdicts[found] += 1
            single[verdict(old, new_values, samples, 0.95)] += 1
            used += share
        shares = [100 * each / count for each in (*verdicts.values(), used, single["pass"], single["fail"])]
        print(
            f"{name:<24}{shares[0]:>8.1f}{shares[1]:>8.1f}{shares[2]:>11.1f}{shares[3]:>14.1f}{shares[4]:>16.1f}{shares[5]:>8.1f}"
        )


def print_families(count: int, samples: int = 200) -> None:
    """Print how often any of several primaries fails wrongly, and how often all pass wrongly."""
    setting = Setting("correct", 0.9, 0.85)
    print(f"\nprimaries exactly at the margin, {samples} samples: any false fail with Holm, without, all falsely pass")
    for family in (1, 3, 6):
        holm, plain, passed = 0, 0, 0
        for rng in generators(count, samples, family, setting):
            drawn = [setting.draw(rng, samples, 1) for _ in range(family)]
            found = [difference(Pairs(old.ravel(), new.ravel(), np.arange(samples))) for old, new in drawn]
            fails = [lambda level, each=each: each.interval(1 - level)[1] < -MARGIN for each in found]
            holm += any(holm_rejections(fails, 0.05))
            plain += any(each(0.05) for each in fails)
            passed += all(each.interval(0.95)[0] > -MARGIN for each in found)
        print(f"{family:>5} primaries" + "".join(f"{100 * each / count:>10.1f}" for each in (holm, plain, passed)))


def verdict(old: Values, new: Values, samples: int, confidence: float) -> str:
    """Return `pass`, `fail` or nothing, of the first samples."""
    of = np.repeat(np.arange(samples), old.shape[1])
    low, high = difference(Pairs(old[:samples].ravel(), new[:samples].ravel(), of)).interval(confidence)
    return "pass" if low > -MARGIN else "fail" if high < -MARGIN else ""


def generators(count: int, samples: int, rows: int, setting: Setting) -> Iterator[np.random.Generator]:
    """Yield one generator per comparison, others in each setting."""
    seed = [samples, rows, len(setting.kind), round(1000 * setting.old), round(1000 * setting.new)]
    for each in np.random.SeedSequence(seed).spawn(count):
        yield np.random.default_rng(each)


if __name__ == "__main__":
    main()
