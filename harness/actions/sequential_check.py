"""`holdfast check --sequential`: run a part of the samples, look, and go on only while the verdict is open."""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.actions.checking import Asked, Comparison, compare_answers, conclude, run_settings, stored_side
from holdfast.harness.backends import backends
from holdfast.harness.evaluation import evaluate_config
from holdfast.harness.execute.kept_engine import KeptEngine
from holdfast.harness.plan.preparation import load_tasks
from holdfast.harness.results.check.answers import Answers, joined, read_side
from holdfast.harness.results.check.inference.alpha_spending import LOOKS, look_confidences
from holdfast.harness.results.check.judging import judge, overall
from holdfast.harness.results.check.outcome import CheckResult, Look, Verdict
from holdfast.harness.store.config import RunConfig, make_config
from holdfast.tasks import Task, limited


def check_sequentially(baseline: str, candidate: str, asked: Asked, settings: dict[str, Any]) -> CheckResult:
    """Check two adapters, looking after 25, 50, 75 and 100 % of each task's samples, in random order.

    The intervals of each look are so wide that the probability of a false verdict over all looks is alpha (Lan and
    DeMets 1983, O'Brien-Fleming type). The base is loaded once. Each part is a run of its own, in a subdirectory of
    the output path, so that a killed check goes on where it stopped.

    Args:
        baseline: The adapter in use.
        candidate: The adapter that may replace it.
        asked: What the candidate may lose.
        settings: Settings of the run.

    Raises:
        UserError: For a mistake in the input.
    """
    for side in (baseline, candidate):
        if stored_side(side):
            raise UserError(f"--sequential runs both adapters, and '{side}' has been run already: name an adapter")
    config = make_config(run_settings([baseline, candidate], settings))
    if config.pack is not None:
        raise UserError("--sequential splits the samples, which a pack doesn't allow: omit --pack")
    if config.distributed:
        raise UserError("--sequential runs in one process: omit --distributed")
    engine = KeptEngine(backends.get(config.model).build)
    parts = list(_parts(config))
    planned = sum(len(task.samples) for part in parts for task in part)
    confidences = look_confidences(asked.budgets.check.alpha)
    looks: list[Look] = []
    olds: list[Answers] = []
    news: list[Answers] = []
    folders = Path(config.output_path)
    for i, tasks in enumerate(parts):
        if not tasks:  # fewer samples than looks
            continue
        folder = folders / f"part_{i + 1}"
        run = evaluate_config(config.model_copy(update={"output_path": str(folder)}), tasks, engine)
        old, new = (read_side(folder, entry.name) for entry in run.manifest.adapters)
        olds.append(old)
        news.append(new)
        comparison = compare_answers(
            joined(olds, f"{folders}:{old.name}"), joined(news, f"{folders}:{new.name}"), asked
        )
        looks.append(_look(comparison, LOOKS[i], confidences[i]))
        if looks[-1].verdict is not Verdict.UNDECIDED:
            break
    return conclude(comparison, looks=looks, planned=planned)


def _look(comparison: Comparison, share: float, confidence: float) -> Look:
    power, same = comparison.settings.power, comparison.same_adapter
    results = judge(comparison.primaries, alpha=1 - confidence, power=power, same_adapter=same)
    samples = comparison.new.table[["task", "sample"]].drop_duplicates()
    return Look(share, len(samples), confidence, overall(results))


def _parts(config: RunConfig) -> Iterator[list[Task]]:
    """Yield the tasks of each look, with the samples that are new to it."""
    loaded = load_tasks(config.tasks, config)
    mixed = []
    for task in loaded:
        samples = list(limited(task, config.limit))
        Random(f"{config.seed}|{task.name}").shuffle(samples)
        mixed.append((task, samples))
    before = 0.0
    for share in LOOKS:
        part = [
            replace(task, samples=tuple(samples[ceil(before * len(samples)) : ceil(share * len(samples))]))
            for task, samples in mixed
        ]
        yield [task for task in part if task.samples]
        before = share
