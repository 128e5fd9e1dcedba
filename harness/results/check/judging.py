"""Judge the primary metrics: non-inferiority with margins, absolute limits, and what could not be scored."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.harness.results.check.inference.differences import Estimate, Pairs, difference, mean
from holdfast.harness.results.check.inference.holm import holm_rejections
from holdfast.harness.results.check.inference.planning import samples_needed
from holdfast.harness.results.check.outcome import PrimaryResult, Verdict
from holdfast.harness.results.check.primary import Primary


def judge(
    primaries: Sequence[Primary], *, alpha: float, power: float, same_adapter: bool = False
) -> tuple[PrimaryResult, ...]:
    """Judge each primary metric.

    A metric passes if the whole interval of its change lies within its margin, and that of the candidate's mean within
    its limit. It fails if the whole interval of either lies beyond; Holm's procedure (1979) over all metrics keeps the
    probability of any false failure at alpha. Otherwise it is undecided. Since all metrics must pass, passing needs no
    correction (intersection-union test, Berger 1982). Answers that could not be scored count as the worst possible for
    a pass, and as the best possible for a failure.

    Args:
        primaries: The metrics, with their pairs.
        alpha: 1 - the confidence of the intervals that decide.
        power: Probability of a verdict for which further samples are counted.
        same_adapter: Whether both sides are the same weights, so that nothing can have changed.
    """
    cases = [_case(primary, same_adapter=same_adapter) for primary in primaries]
    failed = _failed([each for case in cases for each in case.at_best], alpha)
    hypotheses, results = sum(len(case.at_best) for case in cases), []
    for case in cases:
        if any(id(each) in failed for each in case.at_best):
            verdict = Verdict.FAIL
        else:
            verdict = Verdict.PASS if all(each.holds(1 - alpha) for each in case.at_worst) else Verdict.UNDECIDED
        results.append(_result(case, verdict, alpha, power, hypotheses))
    return tuple(results)


def fails(primaries: Sequence[Primary], alpha: float) -> bool:
    """Return whether any metric fails; the quick way to ask only this. Every pair must have been scored."""
    hypotheses = []
    for primary in primaries:
        pairs = primary.pairs()
        hypotheses += _hypotheses(primary, pairs, difference(pairs), mean(pairs.new, pairs.clusters), False)
    return bool(_failed(hypotheses, alpha))


def overall(results: Sequence[PrimaryResult]) -> Verdict:
    """Return the verdict over all primary metrics: FAIL if one fails, PASS if all pass."""
    verdicts = {each.verdict for each in results}
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.UNDECIDED if Verdict.UNDECIDED in verdicts else Verdict.PASS


def deciding(results: Sequence[PrimaryResult]) -> PrimaryResult:
    """Return the metric nearest to failing: of those with the worst verdict, the one with least room."""
    severity = {Verdict.FAIL: 0, Verdict.UNDECIDED: 1, Verdict.PASS: 2}
    return min(results, key=lambda each: (severity[each.verdict], each.room))


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    """That a quantity is good enough."""

    estimate: Estimate
    sign: int
    """1 if more is better, -1 if less is."""
    least: float
    """The least acceptable value of sign * quantity."""
    certain: bool = False
    """Whether it holds without statistics."""

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Return the ends of the interval of sign * quantity; infinite if there is no interval."""
        if self.estimate.problem:
            return -math.inf, math.inf
        low, high = self.estimate.interval(confidence)
        return (low, high) if self.sign > 0 else (-high, -low)

    def holds(self, confidence: float) -> bool:
        """Whether the quantity is shown to be good enough."""
        return self.certain or self.bounds(confidence)[0] >= self.least

    def fails(self, confidence: float) -> bool:
        """Whether the quantity is shown not to be good enough."""
        if self.certain or self.sign * self.estimate.value >= self.least:
            return False
        return self.bounds(confidence)[1] < self.least

    @property
    def distance(self) -> float:
        """How far the estimate is from the least acceptable value."""
        return abs(self.sign * self.estimate.value - self.least)


@dataclass(frozen=True, slots=True)
class _Case:
    """A primary metric with what must hold for it."""

    primary: Primary
    change: Estimate
    candidate: Estimate
    as_scored: Sequence[_Hypothesis]
    """Over the pairs of which both answers could be scored."""
    at_worst: Sequence[_Hypothesis]
    at_best: Sequence[_Hypothesis]


def _case(primary: Primary, *, same_adapter: bool) -> _Case:
    pairs = primary.pairs()
    change, candidate = difference(pairs), mean(pairs.new, pairs.clusters)
    as_scored = at_worst = at_best = _hypotheses(primary, pairs, change, candidate, same_adapter)
    if primary.unscorable:
        at_worst, at_best = (
            _hypotheses(primary, filled, difference(filled), mean(filled.new, filled.clusters), same_adapter)
            for filled in (primary.pairs("worst"), primary.pairs("best"))
        )
    return _Case(primary, change, candidate, as_scored, at_worst, at_best)


def _hypotheses(
    primary: Primary, pairs: Pairs, change: Estimate, candidate: Estimate, same_adapter: bool
) -> list[_Hypothesis]:
    budget, sign = primary.budget, 1 if primary.higher_is_better else -1
    found = []
    if budget.margin is not None:
        # No number of samples can show that nothing at all is lost; that no answer got worse is what can be asked for.
        unharmed = budget.margin == 0 and not change.problem and bool((sign * (pairs.new - pairs.old) >= 0).all())
        found.append(_Hypothesis(change, sign, -budget.margin, certain=same_adapter or unharmed))
    if budget.limit is not None:
        found.append(_Hypothesis(candidate, sign, sign * budget.limit))
    return found


def _failed(hypotheses: Sequence[_Hypothesis], alpha: float) -> set[int]:
    """Return the ids of the hypotheses that Holm's procedure rejects at level alpha."""

    def fails(hypothesis: _Hypothesis) -> Callable[[float], bool]:
        return lambda level: hypothesis.fails(1 - level)

    rejected = holm_rejections([fails(each) for each in hypotheses], alpha)
    return {id(each) for each, gone in zip(hypotheses, rejected, strict=True) if gone}


def _result(case: _Case, verdict: Verdict, alpha: float, power: float, among: int) -> PrimaryResult:
    """Return the result of a metric among several: the numbers are of the pairs of which both could be scored."""
    primary, decided = case.primary, verdict is not Verdict.UNDECIDED
    (low, high), (new_low, new_high) = (_ends(each, 1 - alpha) for each in (case.change, case.candidate))
    better, worse = _moved(primary)
    return PrimaryResult(
        task=primary.task,
        metric=primary.metric,
        score=primary.score,
        higher_is_better=primary.higher_is_better,
        budget=primary.budget,
        old=case.candidate.value - case.change.value,
        new=case.candidate.value,
        change=case.change.value,
        low=low,
        high=high,
        new_low=new_low,
        new_high=new_high,
        floor=primary.floor,
        samples=int(primary.rows["sample"].nunique()),
        pairs=len(primary.rows),
        unscorable=primary.unscorable,
        worse=worse,
        better=better,
        verdict=verdict,
        reason=_failure(case, alpha) if verdict is Verdict.FAIL else "" if decided else _doubt(case, alpha, among),
        further=None if decided else _further(case.as_scored, alpha, power, among),
        method=case.change.method,
    )


def _ends(estimate: Estimate, confidence: float) -> tuple[float, float]:
    return (math.nan, math.nan) if estimate.problem else estimate.interval(confidence)


def _moved(primary: Primary) -> tuple[int, int]:
    """Return how many samples got better, and how many worse, by their means."""
    rows = primary.rows.dropna(subset=["old", "new"])
    gain = (rows["new"] - rows["old"]).groupby(rows["sample"]).mean().to_numpy(np.float64).round(12)
    gain = gain if primary.higher_is_better else -gain
    return int((gain > 0).sum()), int((gain < 0).sum())


def _failure(case: _Case, alpha: float) -> str:
    """Say what is broken: the limit, or the margin."""
    budget = case.primary.budget
    if budget.limit is not None and case.at_best[-1].fails(1 - alpha):
        side = "below the floor" if case.primary.higher_is_better else "above the ceiling"
        return f"the candidate is {side} of {budget.limit:g}"
    return "it loses more than allowed" if case.primary.higher_is_better else "it rises by more than allowed"


def _doubt(case: _Case, alpha: float, among: int) -> str:
    """Say why a metric is undecided."""
    open_ones = [each for each in case.as_scored if not each.holds(1 - alpha)]
    if not open_ones:
        return f"depends on {case.primary.unscorable} pairs with an answer that could not be scored"
    if any(each.fails(1 - alpha) for each in open_ones):
        return f"worse than allowed, but not clearly enough for one of {among} comparisons"
    problems = [each.estimate.problem for each in open_ones if each.estimate.problem]
    return problems[0] if problems else "the interval reaches beyond what is allowed"


def _further(hypotheses: Sequence[_Hypothesis], alpha: float, power: float, among: int) -> int | None:
    """Return how many further samples would decide with this power, if the estimates are right; None if none would.

    Failing one metric among several takes the level that Holm's procedure asks of the clearest.
    """
    wanted = []
    for each in hypotheses:
        if each.holds(1 - alpha) or math.isnan(each.estimate.se):
            continue
        clusters = each.estimate.clusters
        level = alpha if each.sign * each.estimate.value >= each.least else alpha / among
        needed = samples_needed(each.estimate.se, clusters, each.distance, level, power)
        if needed is None:
            return None
        # Near a ceiling the interval is wider than the standard error says; it shrinks with the root of the samples.
        reach = max(abs(end - each.estimate.value) for end in _ends(each.estimate, 1 - level))
        if math.isfinite(reach):
            needed = max(needed, math.ceil(clusters * (reach / each.distance) ** 2))
        wanted.append(needed - clusters)
    return max(wanted) if wanted and max(wanted) > 0 else None
