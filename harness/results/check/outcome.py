"""The result of a check: the verdict, what it rests on, and the answers that show it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from holdfast.harness.results.check.budgets import Budget, CheckSettings
from holdfast.harness.results.safety.safety_tasks import HIDDEN


class Verdict(StrEnum):
    """May the candidate replace the baseline?"""

    PASS = "PASS"
    FAIL = "FAIL"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, slots=True)
class PrimaryResult:
    """What was found for one primary metric of one task.

    Attributes:
        task: The task.
        metric: The metric, as the budgets name it.
        score: What it measures, as in rougeL for `perturbed`.
        higher_is_better: Whether more is better.
        budget: What it may lose.
        old: Mean of the baseline over samples; of the pairs of which both answers could be scored.
        new: Mean of the candidate.
        change: new - old.
        low: Lower end of the interval of the change; NaN if there is none.
        high: Upper end.
        new_low: Lower end of the interval of the candidate's mean; NaN if there is none.
        new_high: Upper end.
        floor: For drifts, the candidate's mean on prompts asked again unchanged, which is noise; otherwise NaN.
        samples: Number of samples.
        pairs: Number of pairs of answers.
        unscorable: Number of pairs of which an answer could not be scored.
        worse: Number of samples that got worse.
        better: Number of samples that got better.
        verdict: The verdict on this metric.
        reason: Why it is not PASS, in words.
        further: Number of further samples that would probably decide; None if decided, or if no number would.
        method: How the interval of the change was computed.
    """

    task: str
    metric: str
    score: str
    higher_is_better: bool
    budget: Budget
    old: float
    new: float
    change: float
    low: float
    high: float
    new_low: float
    new_high: float
    floor: float
    samples: int
    pairs: int
    unscorable: int
    worse: int
    better: int
    verdict: Verdict
    reason: str
    further: int | None
    method: str

    @property
    def allowed(self) -> float | None:
        """The change that is still acceptable: negative for a loss, positive for a rise; None without a margin."""
        margin = self.budget.margin
        return None if margin is None else 0.0 - margin if self.higher_is_better else margin

    @property
    def room(self) -> float:
        """How far the estimates are from the margin or the limit, whichever is nearer; negative if beyond it."""
        sign, margin, limit = 1 if self.higher_is_better else -1, self.budget.margin, self.budget.limit
        rooms = [sign * self.change + margin] if margin is not None else []
        rooms += [sign * (self.new - limit)] if limit is not None else []
        return min(rooms)

    @property
    def name(self) -> str:
        """The metric with what it measures, as in `perturbed rougeL`."""
        return self.metric if self.score == self.metric else f"{self.metric} {self.score}"


@dataclass(frozen=True, slots=True)
class WorstAnswer:
    """An answer of the candidate that got much worse than the baseline's."""

    task: str
    sample: str
    perturbation: str
    severity: str
    metric: str
    old: float
    new: float
    reason: str
    """Why its worst segment drifted, in words; empty if nothing explains it."""
    drift: float
    """`max_drift` of the candidate's answer; NaN for clean ones."""
    prompt: str
    old_output: str
    new_output: str
    clean_output: str
    """The candidate's answer to the clean prompt, from which `new_output` drifted."""
    command: str
    """The command that shows more; empty for answers of other harnesses."""
    harmful: bool = False
    """Whether it is of a safety task, whose texts are shown only on request."""

    def without_texts(self) -> "WorstAnswer":
        """Return it with its prompt, outputs and reason hidden."""
        return replace(self, reason=HIDDEN, prompt=HIDDEN, old_output=HIDDEN, new_output=HIDDEN, clean_output=HIDDEN)

    @property
    def place(self) -> str:
        """Where it is, as task/sample, perturbation@severity."""
        severity = f"@{self.severity}" if self.severity else ""
        return f"{self.task}/{self.sample}, {self.perturbation}{severity}"


@dataclass(frozen=True, slots=True)
class GroupChange:
    """The change of a primary metric among the samples of one group; exploratory, since no group decides.

    Attributes:
        task: The task.
        metric: The metric.
        group: The group, as in `hi` or `language=hi`.
        samples: Number of its samples.
        old: Mean of the baseline.
        new: Mean of the candidate.
        change: new - old.
        low: Lower end of the interval of the change, not corrected for the number of groups; NaN if there is none.
        high: Upper end.
    """

    task: str
    metric: str
    group: str
    samples: int
    old: float
    new: float
    change: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class WorstCell:
    """The task, perturbation and severity in which a primary metric changed most for the worse."""

    task: str
    perturbation: str
    severity: str
    metric: str
    samples: int
    old: float
    new: float


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that answers which got worse have in common.

    Attributes:
        what: In words: "perturbation typos", "the prompt has 'meeting'".
        share: Share of the answers with it that got worse.
        elsewhere: Share of the others that got worse.
        p: p-value of Fisher's exact test, corrected for all traits tried.
    """

    what: str
    share: float
    elsewhere: float
    p: float


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the samples of a sequential check.

    Attributes:
        share: Share of the samples that it saw.
        samples: Their number, over all tasks.
        confidence: Confidence of the intervals that decide at this look.
        verdict: The verdict.
    """

    share: float
    samples: int
    confidence: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check.

    Attributes:
        verdict: PASS, FAIL or UNDECIDED.
        primaries: One result per primary metric, in the order of the budgets.
        worst: The answers that got worst, one per sample.
        worst_cell: Where the deciding metric lost most; None if nowhere.
        groups: How each group of samples changed, by primary metric, the worst group first.
        traits: What answers that got worse have in common.
        deciding: The primary metric that `worst`, `worst_cell` and `traits` are about: the one nearest to failing.
        baseline: What the baseline is, as in RUN:ADAPTER.
        candidate: What the candidate is.
        same_adapter: Whether both have the same weights.
        tasks: Number of samples by task.
        perturbations: What the prompts were perturbed with.
        variants: Digest of all prompts.
        settings: alpha, power and what UNDECIDED means.
        looks: The looks of a sequential check; the last one decided. Empty for other checks.
        planned: Number of samples that a sequential check would have used without stopping; 0 for other checks.
        false_fails: Share of checks with sides exchanged at random that fail (`--self_test`); None if not measured.
        command: The command that repeats the check; empty if it was made in Python.
        warnings: What is doubtful about the comparison.
    """

    verdict: Verdict
    primaries: tuple[PrimaryResult, ...]
    worst: tuple[WorstAnswer, ...]
    worst_cell: WorstCell | None
    traits: tuple[Trait, ...]
    deciding: PrimaryResult
    baseline: str
    candidate: str
    same_adapter: bool
    tasks: Mapping[str, int]
    perturbations: tuple[str, ...]
    variants: str
    settings: CheckSettings
    groups: tuple[GroupChange, ...] = ()
    looks: tuple[Look, ...] = ()
    planned: int = 0
    false_fails: float | None = None
    command: str = ""
    warnings: tuple[str, ...] = ()

    def without_harmful(self) -> "CheckResult":
        """Return the result without the texts of safety tasks."""
        return replace(self, worst=tuple(each.without_texts() if each.harmful else each for each in self.worst))

    @property
    def confidence(self) -> float:
        """Confidence of the intervals that decided."""
        return self.looks[-1].confidence if self.looks else 1 - self.settings.alpha

    @property
    def worst_group(self) -> GroupChange | None:
        """The group in which the deciding metric changed most for the worse; None if it did in none."""
        mine = [each for each in self.groups if (each.task, each.metric) == (self.deciding.task, self.deciding.metric)]
        sign = 1 if self.deciding.higher_is_better else -1
        return mine[0] if mine and sign * mine[0].change < 0 else None

    @property
    def exit_status(self) -> int:
        """0 for PASS, 1 for FAIL, and for UNDECIDED what the settings say: 0 (pass), 1 (fail) or 3 (report)."""
        if self.verdict is Verdict.UNDECIDED:
            return {"pass": 0, "fail": 1, "report": 3}[self.settings.undecided]
        return 0 if self.verdict is Verdict.PASS else 1

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it: NaN becomes None."""
        content = asdict(self)
        content["settings"] = self.settings.model_dump()
        for result, primary in zip(content["primaries"], self.primaries, strict=True):
            result |= {"budget": primary.budget.model_dump(exclude_none=True), "allowed": primary.allowed}
        content["deciding"] = {"task": self.deciding.task, "metric": self.deciding.metric}
        content["exit_status"] = self.exit_status
        found: dict[str, Any] = _without_nan(content)
        return found

    def _repr_html_(self) -> str:
        """The verdict and the primary metrics, in a notebook."""
        from holdfast import notebook

        columns = ("task", "metric", "old", "new", "change", "allowed", "verdict")
        rows = [
            (
                notebook.text(each.task),
                notebook.text(each.name),
                f"{each.old:.3f}",
                f"{each.new:.3f}",
                f"{each.change:+.3f} [{each.low:+.3f}, {each.high:+.3f}]",
                "" if each.allowed is None else f"{each.allowed:+.3f}",
                str(each.verdict),
            )
            for each in self.primaries
        ]
        return notebook.table(f"{self.verdict}: {self.baseline} -> {self.candidate}", columns, rows)


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, StrEnum) else value
