"""Execute a prepared run: load the engine, probe the adapters, generate, score, and update the manifest."""

import time
import warnings
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.backends import Backend
from holdfast.harness.backends.backend import BackendOptions, Build
from holdfast.harness.execute.asking_judges import judged
from holdfast.harness.execute.asking_support import supported
from holdfast.harness.execute.attending import AttentionShifts
from holdfast.harness.execute.distributed_scoring import distributed_scorer
from holdfast.harness.execute.encoding import run_encoding
from holdfast.harness.execute.grading import graded
from holdfast.harness.execute.run import Run
from holdfast.harness.execute.scoring import Scorer
from holdfast.harness.execute.tally import remarks
from holdfast.harness.models.checkpoints import BASE
from holdfast.harness.plan.faithful_tasks import FLAG
from holdfast.harness.plan.fluency import FluencyJudge
from holdfast.harness.plan.judges.answer_judge import AnswerJudge
from holdfast.harness.plan.lm_eval.lm_eval_tasks import for_engine
from holdfast.harness.plan.plan import Plan, items_for, make_plan, question_maker, settings_for
from holdfast.harness.plan.preparation import PreparedRun
from holdfast.harness.plan.sample_variants import SampleVariant
from holdfast.harness.plan.search import Attempts, next_candidate
from holdfast.harness.plan.validity import Validity, write_excluded
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.embeddings import cached_embeddings
from holdfast.harness.store.manifest import (
    Manifest,
    timestamp,
)
from holdfast.harness.store.progress import Advance, progress_bar
from holdfast.harness.store.records import IDENTITY
from holdfast.harness.store.run_folder import Samples
from holdfast.metrics.comparers.nli import load_nli
from holdfast.metrics.comparers.segment_comparer import comparer_of

PROBES = 4
"""Number of prompts on which adapters are probed before the run."""


def execute(prepared: PreparedRun, manifest: Manifest, samples: Samples, connect: Build) -> None:
    """Run everything that `samples` doesn't have yet, and write the manifest.

    Args:
        prepared: The run.
        manifest: Its manifest, new or of the interrupted run; updated in place.
        samples: The open samples file.
        connect: Builds the engine.
    """
    config, folder = prepared.config, samples.folder
    started = time.perf_counter()
    comparer = comparer_of(config.comparer)  # first, since the rest takes long
    entails = load_nli(config.faithfulness, FLAG) if config.faithfulness else None
    engine = connect(_options(for_engine(config), manifest), prepared.adapters)
    encoding = run_encoding(config, prepared.tasks, engine)
    with cached_embeddings(folder, encoding) as encoded:
        validity = Validity(config.min_meaning, prepared.tasks, encoded)
        kept, excluded = validity.split(prepared.variants)
        write_excluded(folder, excluded, prepared.tasks)
        plan = make_plan(config, prepared.tasks, prepared.adapters, kept)
        manifest.warnings = list(prepared.left_out)
        _probe(engine, plan, manifest)
        _warn_about_empty_cells(manifest, kept, excluded)
        manifest.engine = dict(engine.describe())
        manifest.write(folder)
        loaded = time.perf_counter() - started
        headlines = {name: (task.headline, task.higher_is_better) for name, task in manifest.tasks.items()}
        attempts = Attempts(headlines) if config.search_method == "greedy" else None
        scorer = distributed_scorer(config, Scorer(encoded, config.granularity, config.spacy_pipeline, comparer))
        shifts = _attention_shifts(engine, config) if config.attention else None
        score = graded(scorer.score, FluencyJudge(config.fluency)) if config.fluency else scorer.score
        judge = AnswerJudge(config.judge) if config.judge else None
        score = judged(score, judge) if judge else score
        score = supported(score, entails) if entails else score
        run = Run(engine, score, samples, config.log_samples, attempts, shifts, config.keep_reasoning)
        with progress_bar(len(plan), run.count()) as advance:
            run.ask(plan.clean, advance)
            run.copy_clean(plan.unchanged, advance)
            run.ask(plan.perturbed, advance)
            if attempts:
                _search(prepared, attempts, validity, run, advance)
    for remark in judge.remarks if judge else ():
        warn(manifest, remark)
    for task in prepared.tasks:
        limit = settings_for(task, config).max_new_tokens
        for remark in remarks(task, run.tallies[task.name], limit, manifest.engine.get("max_length")):
            warn(manifest, remark)
    manifest.timings = {"load_seconds": round(loaded, 3)} | {name: round(took, 3) for name, took in run.seconds.items()}
    manifest.samples_sha256, manifest.generations = samples.digest()
    manifest.status, manifest.finished = "complete", timestamp()
    manifest.write(folder)


def _attention_shifts(engine: Any, config: RunConfig) -> AttentionShifts:
    if not hasattr(engine, "attention"):
        raise UserError(f"--attention: the backend '{config.model}' can't return attention; use --model hf")
    return AttentionShifts(engine, config.granularity, config.spacy_pipeline)


def _search(prepared: PreparedRun, attempts: Attempts, validity: Validity, run: Run, advance: Advance) -> None:
    """Search greedily: in each round, run a changed version of every sample's worst variant for each adapter."""
    config = prepared.config
    to_question = question_maker(config, prepared.tasks)
    adapters = {adapter.name: adapter for adapter in prepared.adapters}
    samples = {(task.name, sample.id): (task, sample) for task in prepared.tasks for sample in task.samples}
    for repeat in range(config.repeats, config.search_budget):
        found = [
            (key[0], next_candidate(*samples[key[1:3]], key, worst, repeat, config.seed))
            for key, worst in attempts.worst_before(repeat)
        ]
        candidates = [(name, variant) for name, variant in found if variant]
        judged = validity.judge([variant for _, variant in candidates])
        items = [
            item
            for (name, _), variant in zip(candidates, judged, strict=True)
            if validity.keeps_meaning(variant)
            for item in items_for([to_question(variant)], [adapters[name]])
        ]
        run.ask(items, advance)


def _options(config: RunConfig, resumed: Manifest) -> BackendOptions:
    """Return the engine's options.

    A resumed run keeps the batch size chosen by `auto`, and so its rounding, and the time that chat templates read.
    """
    size = resumed.engine.get("batch_size") if config.batch_size == "auto" else config.batch_size
    return BackendOptions(
        config.model_args,
        size,
        config.device,
        config.max_requests,
        datetime.fromisoformat(resumed.started),
        config.chat_template_kwargs,
    )


def _probe(engine: Backend, plan: Plan, manifest: Manifest) -> None:
    prompts = list(dict.fromkeys(item.question.prompt for item in plan.clean[: 4 * PROBES]))[:PROBES]
    found = engine.probe(prompts)
    for entry in manifest.adapters:
        if entry.name not in found:
            if entry.path is not None or not (entry.name == BASE or entry.mitigation):
                warn(
                    manifest,
                    f"can't check whether adapter '{entry.name}' has an effect: the engine returns no probabilities",
                )
            continue
        entry.has_effect = found[entry.name]
        if not entry.has_effect and entry.scale:
            warn(manifest, f"adapter '{entry.name}' has no effect: it changes no logit of the base")


def _warn_about_empty_cells(
    manifest: Manifest, kept: Sequence[SampleVariant], excluded: Sequence[SampleVariant]
) -> None:
    run, left_out = {variant.cell for variant in kept}, {variant.cell for variant in excluded}
    edited = {each.cell for each in kept if each.variant.edits or each.variant.perturbation == IDENTITY}
    for cell in sorted((run | left_out) - edited):
        if cell not in left_out:
            found = "it found nothing to change in any prompt, so unchanged answers tell you nothing"
        elif cell not in run:
            found = "no variant keeps its prompt's meaning, so none is run"
        else:
            found = "no edited variant keeps its prompt's meaning, so only unchanged prompts are run"
        warn(manifest, f"{cell[0]}/{cell[1]}@{cell[2]}: {found}")


def warn(manifest: Manifest, message: str) -> None:
    """Warn now, and record the warning in the manifest."""
    manifest.warnings.append(message)
    warnings.warn(message, stacklevel=3)
