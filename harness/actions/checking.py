"""`holdfast check`: may the candidate adapter replace the baseline?"""

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.results.check.answers import PROMPTS, Answers, read_side
from holdfast.harness.results.check.budgets import (
    Budgets,
    CheckSettings,
    Undecided,
    check_names,
    default_budgets,
    make_budgets,
    read_budgets,
)
from holdfast.harness.results.check.comparability import check_comparable, pair
from holdfast.harness.results.check.group_changes import group_changes
from holdfast.harness.results.check.judging import deciding, judge, overall
from holdfast.harness.results.check.lm_eval_answers import read_lm_eval, samples_files
from holdfast.harness.results.check.outcome import CheckResult, Look
from holdfast.harness.results.check.primary import Primary, default_metrics, primaries
from holdfast.harness.results.check.sample_plan import PlannedPrimary, plan_samples
from holdfast.harness.results.check.traits import common_traits
from holdfast.harness.results.check.worst_answers import worst_answers, worst_cell
from holdfast.harness.results.reopening import as_in_run
from holdfast.harness.results.run_results import Results
from holdfast.harness.store.config import make_config
from holdfast.harness.store.manifest import FILE, not_a_run, read_manifest
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.paths import as_path

if TYPE_CHECKING:
    import pandas as pd

OUTPUT_PATH = "results/check"
"""Where the run of a check is kept if nothing else is said."""

Side = str | Path | Results
BudgetsLike = Budgets | Mapping[str, Any] | str | Path | None


def check(
    baseline: Side,
    candidate: Side,
    *,
    budgets: BudgetsLike = None,
    undecided: Undecided | None = None,
    **settings: Any,
) -> CheckResult:
    """Check whether the candidate adapter may replace the baseline.

    Each side is a finished run, as `RUN` or `RUN:ADAPTER`; a samples_*.jsonl that lm-eval logged, or a directory of
    them; or an adapter, which is run first: both in one engine, or one with the settings of the other's run.

    Args:
        baseline: The adapter in use.
        candidate: The adapter that may replace it.
        budgets: What the candidate may lose: a TOML file, its content, or None for a margin of 0.05 for each task's
            clean and perturbed score and its `max_drift`.
        undecided: What UNDECIDED means for `exit_status`, if not what the budgets say.
        settings: Settings of the run, as for `evaluate`.

    Returns:
        The verdict and what it rests on.

    Raises:
        UserError: For a mistake in the input; `NotComparable` if the two sides differ in more than the adapter.
    """
    return conclude(compare(baseline, candidate, budgets=budgets, undecided=undecided, settings=settings))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, and the primary metrics by which they are compared."""

    old: Answers
    new: Answers
    pairs: "pd.DataFrame"
    """A row per prompt that both answered (`comparability.pair`)."""
    primaries: Sequence[Primary]
    settings: CheckSettings

    @property
    def same_adapter(self) -> bool:
        """Whether both sides are the same weights."""
        return bool(self.old.digest) and self.old.digest == self.new.digest


def compare(
    baseline: Side,
    candidate: Side,
    *,
    budgets: BudgetsLike = None,
    undecided: Undecided | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Comparison:
    """Read or run both sides, and pair their answers; takes and raises what `check` does."""
    asked = Asked.of(budgets, undecided)
    return compare_answers(*_sides(baseline, candidate, settings or {}, asked), asked)


def compare_answers(old: Answers, new: Answers, asked: "Asked") -> Comparison:
    """Pair the answers of two sides.

    Raises:
        NotComparable: If they differ in more than the adapter.
        UserError: If the budgets name a task or metric that they don't have.
    """
    check_comparable(old, new)
    tasks = {
        name: replace(task, higher_is_better={**old.tasks[name].higher_is_better, **task.higher_is_better})
        for name, task in new.tasks.items()
    }
    budgets = asked.budgets.primary or default_budgets(default_metrics(tasks))
    pairs = pair(old, new)
    return Comparison(old, new, pairs, primaries(pairs, tasks, budgets, asked.where), asked.budgets.check)


def conclude(comparison: Comparison, *, looks: Sequence[Look] = (), planned: int = 0) -> CheckResult:
    """Judge a comparison, and find the answers that show what got worse.

    Args:
        comparison: The two sides.
        looks: The looks of a sequential check, of which this is the last.
        planned: Number of samples that it would have used without stopping.
    """
    old, new, settings = comparison.old, comparison.new, comparison.settings
    alpha = 1 - looks[-1].confidence if looks else settings.alpha
    results = judge(comparison.primaries, alpha=alpha, power=settings.power, same_adapter=comparison.same_adapter)
    decider = deciding(results)
    primary = comparison.primaries[results.index(decider)]
    samples, perturbations = comparison.pairs.groupby("task")["sample"].nunique(), new.table["perturbation"].unique()
    return CheckResult(
        verdict=overall(results),
        primaries=results,
        worst=worst_answers(primary, old, new),
        worst_cell=worst_cell(primary),
        traits=common_traits(primary, new),
        deciding=decider,
        baseline=old.source,
        candidate=new.source,
        same_adapter=comparison.same_adapter,
        tasks={name: int(samples.get(name, 0)) for name in new.tasks},
        perturbations=tuple(sorted(str(name) for name in perturbations if name not in (CLEAN, IDENTITY))),
        variants=str(new.conditions.get(PROMPTS, "")),
        settings=settings,
        groups=group_changes(comparison.primaries, alpha),
        looks=tuple(looks),
        planned=planned,
        warnings=_warnings(comparison),
    )


def _warnings(comparison: Comparison) -> tuple[str, ...]:
    """Return what the runs warned of, and what is doubtful about their samples."""
    found = [*comparison.old.warnings, *comparison.new.warnings]
    alone = sum(len(side.table) - len(comparison.pairs) for side in (comparison.old, comparison.new))
    if alone:
        found.append(f"{alone} answers have no counterpart on the other side and are left out")
    prompts = comparison.new.prompts
    if repeated := len(prompts) - len(set(prompts.values())):
        found.append(f"{repeated} samples have the prompt of another one, but count as if they were independent")
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the candidate may lose, and where that is said."""

    budgets: Budgets
    where: str

    @staticmethod
    def of(given: BudgetsLike, undecided: Undecided | None) -> "Asked":
        """Read budgets; `undecided` overrides what they say."""
        where = f"budgets file '{given}'" if isinstance(given, (str, Path)) else "budgets"
        if isinstance(given, (str, Path)):
            budgets = read_budgets(Path(given))
        else:
            budgets = given if isinstance(given, Budgets) else Budgets() if given is None else make_budgets(given)
        if undecided is not None:
            check = make_budgets({"check": {**budgets.check.model_dump(), "undecided": undecided}}).check
            budgets = budgets.model_copy(update={"check": check})
        return Asked(budgets, where)


def plan(
    baseline: Side, candidate: Side | None, *, budgets: BudgetsLike = None
) -> tuple[list[PlannedPrimary], CheckSettings]:
    """Say what a check with as many samples as a pilot can detect, and how many samples each margin needs.

    Args:
        baseline: A finished run, with its adapter, or samples of lm-eval.
        candidate: The same; None plans from the baseline alone.
        budgets: What the candidate may lose, as in `check`.

    Raises:
        UserError: If a side is an adapter, which would have to be run first, or for another mistake in the input.
    """
    sides = [baseline] if candidate is None else [baseline, candidate]
    stored = []
    for side in sides:
        found = stored_side(side)
        if found is None:
            raise UserError(
                f"--plan generates nothing, and '{side}' is not a finished run: name one, as in RUN:ADAPTER"
            )
        stored.append(_answers(*found))
    comparison = compare_answers(stored[0], stored[-1], Asked.of(budgets, None))
    settings = comparison.settings
    planned = plan_samples(
        comparison.primaries, alpha=settings.alpha, power=settings.power, paired=candidate is not None
    )
    return planned, settings


def _sides(baseline: Side, candidate: Side, settings: Mapping[str, Any], budgets: Asked) -> tuple[Answers, Answers]:
    """Return the answers of both sides; those of adapters are generated."""
    given = [stored_side(baseline), stored_side(candidate)]
    asked = [str(side) for side, found in zip((baseline, candidate), given, strict=True) if found is None]
    if not asked and settings:
        raise UserError(f"{next(iter(settings))} is a setting of a run, but both sides have been run already: omit it")
    if asked:
        run = _run(asked, next((each for each in given if each), None), settings, budgets)
        made = iter(entry.name for entry in run.manifest.adapters)
        given = [(run.path, next(made)) if each is None else each for each in given]
    old, new = (_answers(*each) for each in given if each)
    return old, new


def stored_side(side: Side) -> tuple[Path, str | None] | None:
    """Return the run or the samples of lm-eval that a side names, and the adapter in it; None if it is an adapter."""
    if isinstance(side, Results):
        return side.path, None
    path = as_path(side, "a side")
    if (path / FILE).is_file() or samples_files(path):
        return path, None
    parts = str(side).split(":")  # an adapter's name may have colons, too
    splits = (":".join(parts[:i]) for i in range(1, len(parts)))
    folder = next((each for each in splits if (Path(each) / FILE).is_file()), None)
    if folder is None and any(path.glob(f"*/{FILE}")):
        raise not_a_run(path)
    return (Path(folder), str(side)[len(folder) + 1 :]) if folder else None


def _answers(path: Path, adapter: str | None) -> Answers:
    return read_side(path, adapter) if (path / FILE).is_file() else read_lm_eval(path)


def run_settings(adapters: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run of these adapters; two of one name are called baseline and candidate."""
    specs = list(adapters)
    if len(specs) == 2 and _name(specs[0]) == _name(specs[1]):
        specs = [f"baseline={specs[0]}", f"candidate={specs[1]}"]
    return {"output_path": OUTPUT_PATH, **settings, "adapters": specs}


def _run(
    adapters: Sequence[str], other: tuple[Path, str | None] | None, settings: Mapping[str, Any], budgets: Asked
) -> Results:
    """Run adapters, with the settings of the other side's run if it has been run already."""
    from holdfast.harness.evaluation import evaluate_config  # which a check of finished runs doesn't need
    from holdfast.harness.plan.preparation import load_tasks

    for spec in adapters:
        folder, colon, _ = spec.partition(":")
        if colon and "=" not in spec and not Path(spec).exists():
            raise UserError(f"'{spec}' is not a finished run: '{folder}' has no {FILE}")
    given, manifest = run_settings(adapters, settings), None
    if other is not None:
        manifest = read_manifest(other[0])
        if manifest is None:
            raise UserError(
                f"'{adapters[0]}' can't be run with the settings of {other[0]}, whose samples are lm-eval's: "
                "evaluate it with lm-eval too"
            )
        kept = manifest.config.model_dump(exclude_defaults=True, exclude={"adapter_scales"})
        given = kept | given | {name: _from_here(given[name]) for name in _PATHS & given.keys()}
        given["output_path"] = str(Path(given["output_path"]).absolute())
    with as_in_run(manifest) if manifest else nullcontext():
        config = make_config(given)
        tasks = [task.name for task in load_tasks(config.tasks, config)]
        check_names(budgets.budgets.primary, tasks, budgets.where, "task")
        return evaluate_config(config)


_PATHS = {"adapters", "tasks", "pack", "include_path"}


def _from_here(value: Any) -> Any:
    """Return a setting with the paths in it made absolute, since the other side's start where it was run."""
    if isinstance(value, (list, tuple)):
        return [_from_here(each) for each in value]
    if not isinstance(value, (str, Path)):
        return value
    name, equals, path = str(value).rpartition("=")
    return f"{name}{equals}{Path(path).absolute()}" if path and os.path.exists(path) else value


def _name(spec: str) -> str:
    return Path(spec).resolve().name
