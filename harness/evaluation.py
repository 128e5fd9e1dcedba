"""Run an evaluation: plan, execute, summarise."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from holdfast.errors import UserError
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import Build
from holdfast.harness.execute.distributed import on_ray
from holdfast.harness.execute.execution import execute, warn
from holdfast.harness.execute.kept_engine import KeptEngine
from holdfast.harness.plan.packs import apply_pack
from holdfast.harness.plan.preparation import new_manifest, prepare
from holdfast.harness.results.noise import noisy_setup
from holdfast.harness.results.run_results import Results, results_of
from holdfast.harness.results.summary import summarise
from holdfast.harness.store.config import RunConfig, Scalar, make_config
from holdfast.harness.store.manifest import (
    check_same_run,
    read_manifest,
)
from holdfast.harness.store.run_folder import check_run_folder, open_folder
from holdfast.tasks import Task


def evaluate(
    config: RunConfig | None = None,
    *,
    model: str | None = None,
    model_args: Mapping[str, Scalar] | str | None = None,
    adapters: Sequence[str] | str | None = None,
    adapter_scales: Sequence[float] | None = None,
    skip_bad_adapters: bool | None = None,
    gen_kwargs: Mapping[str, Any] | str | None = None,
    chat_template_kwargs: Mapping[str, Scalar] | str | None = None,
    keep_reasoning: bool | None = None,
    batch_size: int | Literal["auto"] | None = None,
    device: str | None = None,
    max_requests: int | None = None,
    preset: str | None = None,
    mitigations: Sequence[str] | str | None = None,
    tasks: Sequence[str | Path | Task] | str | Path | Task | None = None,
    limit: int | None = None,
    content: str | None = None,
    references: str | None = None,
    group: Sequence[str] | str | None = None,
    encoding: str | None = None,
    num_fewshot: int | None = None,
    system_instruction: str | None = None,
    apply_chat_template: bool | None = None,
    include_path: str | Path | None = None,
    perturbations: Sequence[str] | str | None = None,
    severity: Sequence[str | float] | str | float | None = None,
    repeats: int | None = None,
    search: str | None = None,
    pack: str | Path | None = None,
    min_meaning: float | None = None,
    paraphraser: Mapping[str, Scalar] | str | None = None,
    encoder: str | None = None,
    comparer: str | None = None,
    fluency: str | None = None,
    judge: str | None = None,
    faithfulness: str | None = None,
    granularity: Literal["sentence", "clause", "phrase"] | None = None,
    break_threshold: float | None = None,
    additions: Literal["ignore", "count"] | None = None,
    aggregate: Sequence[Literal["mean", "worst"]] | str | None = None,
    spacy_pipeline: str | None = None,
    attention: bool | None = None,
    label_likelihood: bool | None = None,
    seed: int | None = None,
    output_path: str | Path | None = None,
    log_samples: bool | None = None,
    distributed: Literal["ray"] | None = None,
    ray_address: str | None = None,
    replicas: int | None = None,
    gpus_per_replica: float | None = None,
    backend: Build | None = None,
) -> Results:
    """Run an evaluation, or resume it if `output_path` already has a part of it.

    The parameters are the flags of `holdfast run`; `holdfast run --help` describes them and their defaults, which None
    stands for. Lists may be comma-separated strings, mappings `a=b,c=d`.

    Args:
        config: Settings that the other parameters override.
        tasks: Names, files or `Task` objects, one or several.
        backend: Builds the engine instead of the registered backend `model`.

    Returns:
        The results; their files are in `output_path`.

    Raises:
        UserError: For any mistake in the input, if possible before anything is generated.
    """
    settings = {  # before any other local variable
        name: value for name, value in locals().items() if value is not None and name not in ("config", "backend")
    }
    if config is not None and not isinstance(config, RunConfig):
        raise UserError(f"evaluate() takes a RunConfig or settings by name, as in model='hf'; got {config!r}")
    given = _listed(tasks)
    if given is not None:
        settings["tasks"] = [task.name if isinstance(task, Task) else task for task in given]
    configured = config.model_dump(exclude_unset=True) if config else {}
    return evaluate_config(make_config({**configured, **settings}), given, backend)


def _listed(tasks: Sequence[str | Path | Task] | str | Path | Task | None) -> list[str | Task] | None:
    """Return tasks, given as one or as several, as a list of names, files and `Task` objects."""
    if tasks is None:
        return None
    several = tasks.split(",") if isinstance(tasks, str) else [tasks] if isinstance(tasks, (Task, Path)) else tasks
    return [str(task).strip() if isinstance(task, (str, Path)) else task for task in several]


def evaluate_config(
    config: RunConfig, tasks: Sequence[str | Task] | None = None, backend: Build | None = None
) -> Results:
    """Run the evaluation that a checked configuration describes (see `evaluate`).

    `backend` builds another engine than the registered one, or is a `KeptEngine` of the registered backend.
    """
    folder = Path(config.output_path)
    check_run_folder(folder)
    config = apply_pack(config)
    prepared = prepare(config, tasks, check_backend=backend is None or isinstance(backend, KeptEngine))
    manifest = new_manifest(prepared)
    with open_folder(folder) as samples:
        before = read_manifest(folder)
        if before is not None:
            check_same_run(before, manifest, folder)
            manifest = before
        else:
            manifest.write(folder)  # first of all, so that the folder says whose it is
        lost = manifest.generations - samples.count() if manifest.status == "complete" else 0
        if manifest.status != "complete" or lost > 0:
            execute(prepared, manifest, samples, on_ray(config, backend or backends.get(config.model).build))
        if lost > 0:
            warn(
                manifest,
                f"{lost} answers of the finished run were missing and are generated again; nothing shows whether the "
                "others were changed",
            )
            manifest.write(folder)
        tables = summarise(folder)
        noise = noisy_setup(tables.breakdown, manifest.config)
        if noise and noise not in manifest.warnings:
            warn(manifest, noise)
            manifest.write(folder)
    return results_of(folder, tables, manifest.warnings)
