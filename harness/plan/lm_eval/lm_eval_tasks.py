"""Load tasks of lm-eval by name, as in `lm_eval/gsm8k`."""

import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.harness.plan.lm_eval.lm_eval_prompts import Prompts, prompts_of
from holdfast.harness.plan.lm_eval.lm_eval_scores import register_scores
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.lm_eval_settings import LmEvalSettings
from holdfast.paths import expanded
from holdfast.suggestions import did_you_mean
from holdfast.tasks import Sample, Task

PREFIX = "lm_eval/"
"""How the name of a task of lm-eval begins."""

_FEWSHOT_SEED = 1234
"""The seed with which lm-eval draws few-shot examples."""

_MAX_NEW_TOKENS = 256
"""The length of an answer, in tokens, where a task of lm-eval sets none."""

_LENGTHS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")


def is_lm_eval_task(name: object) -> bool:
    """Return whether a task is one of lm-eval by its name."""
    return isinstance(name, str) and name.startswith(PREFIX)


def lm_eval_tasks(asked: Sequence[str | Task], settings: LmEvalSettings) -> list[str | Task]:
    """Return the tasks with those of lm-eval loaded; a group or tag of lm-eval is all its tasks.

    The answers of such a task are scored by lm-eval's own filters and metrics, which its metric of the same name runs.

    Args:
        asked: Tasks, or what names them.
        settings: What is asked of the tasks of lm-eval.

    Raises:
        UserError: If lm-eval is not installed, has no such task, can't load its data, or the task needs what can't be
            perturbed: other requests than one generation or one choice per document.
    """
    wanted = [name.removeprefix(PREFIX) for name in asked if isinstance(name, str) and is_lm_eval_task(name)]
    if not wanted:
        if settings.given:
            raise UserError(f"--{settings.given[0]} is about tasks of lm-eval, as in --tasks {PREFIX}gsm8k: omit it")
        return list(asked)
    manager = _manager(wanted, settings.include_path)
    found: list[str | Task] = []
    for name in asked:
        found += list(_loaded(manager, name, settings)) if isinstance(name, str) and is_lm_eval_task(name) else [name]
    return found


def without_template(config: RunConfig, asked: Sequence[str | Task]) -> RunConfig:
    """Return the configuration with the chat template off if it has tasks of lm-eval, whose default that is.

    Raises:
        UserError: If other tasks are asked for, too, and nothing says whether to use the template.
    """
    kinds = {is_lm_eval_task(task) for task in asked}
    if True not in kinds or config.apply_chat_template or "chat_template" in config.model_args or config.model == "api":
        return config
    if False in kinds:
        raise UserError(
            "tasks of lm-eval are asked without the model's chat template, other tasks with it: run them separately, "
            "or set --apply_chat_template, or chat_template=none in --model_args"
        )
    return config.model_copy(update={"model_args": {**config.model_args, "chat_template": "none"}})


def _manager(names: Sequence[str], include_path: str | None) -> Any:
    """Return lm-eval's index of tasks; only that of `include_path` if it has them all, since lm-eval's own is long."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from lm_eval.tasks import TaskManager
    except ImportError:
        raise UserError("tasks of lm-eval need its package: pip install 'holdfast-eval[lm-eval]'") from None
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    if include_path is None:
        return TaskManager()
    folder = expanded(include_path)
    if not folder.is_dir():
        raise UserError(f"--include_path: '{include_path}' is not a directory")
    own = TaskManager(include_path=str(folder), include_defaults=False)
    return own if {*names} <= {*own.all_tasks} else TaskManager(include_path=str(folder))


def _loaded(manager: Any, asked: str, settings: LmEvalSettings) -> Iterator[Task]:
    name = asked.removeprefix(PREFIX)
    if name not in manager.all_tasks:
        raise UserError(f"lm-eval has no task '{name}'{did_you_mean(name, manager.all_tasks)}")
    try:
        sources = manager.load([name])["tasks"]
    except Exception as error:  # whatever a task file, its Python code or the data's loader raises
        raise UserError(f"lm-eval can't load its task '{name}' ({type(error).__name__}: {first_line(error)})") from None
    for source in sources.values():
        yield _task(source, settings)


def _task(source: Any, settings: LmEvalSettings) -> Task:
    name = f"{PREFIX}{source.task_name}"
    kind = source.OUTPUT_TYPE
    if kind not in ("generate_until", "multiple_choice") or getattr(source, "multiple_input", False):
        what = "several contexts per document" if kind == "multiple_choice" else f"output_type {kind}"
        raise UserError(f"task '{name}' can't be run ({what}): generate_until and multiple_choice with one context can")
    if (repeats := source.get_config("repeats") or 1) > 1:
        raise UserError(f"task '{name}' asks each question {repeats} times, which isn't possible here")
    _set_fewshot(source, settings)
    documents = list(source.eval_docs)
    if not documents:
        raise UserError(f"task '{name}' has no documents")
    prompts = prompts_of(source, name, documents, settings.system_instruction)
    generation = source.get_config("generation_kwargs") or {}
    if generation.get("do_sample") and kind == "generate_until":
        raise UserError(f"task '{name}' samples its answers (do_sample), but answers here are greedy")
    register_scores(source, name, documents)
    until = generation.get("until") or []
    return Task(
        name=name,
        samples=tuple(_sample(source, name, prompts, i, document) for i, document in enumerate(documents)),
        metrics=(name,),
        prompt=prompts,
        max_new_tokens=next((int(generation[key]) for key in _LENGTHS if key in generation), _MAX_NEW_TOKENS),
        stop=tuple([until] if isinstance(until, str) else filter(None, until)),
    )


def _set_fewshot(source: Any, settings: LmEvalSettings) -> None:
    """Set the number of few-shot examples as lm-eval does: a task that sets it to 0 keeps that."""
    own = source.get_config("num_fewshot")
    if own is None or (settings.num_fewshot is not None and own != 0):
        source.set_config("num_fewshot", settings.num_fewshot or 0)
    source.set_fewshot_seed(_FEWSHOT_SEED)


def _choices(source: Any, name: str, document: dict[str, Any]) -> tuple[str, ...]:
    """Return the choices of a document, behind the task's delimiter unless it is the space that goes without saying."""
    delimiter, choices = source.config.target_delimiter, [*map(str, source.doc_to_choice(document))]
    if delimiter != " ":
        choices = [f"{delimiter}{choice}" for choice in choices]
        if not all(choice[:1].isspace() for choice in choices):
            raise UserError(f"task '{name}': its target_delimiter is {delimiter!r}, but only white space is supported")
    return tuple(choices)


def _sample(source: Any, name: str, prompts: Prompts, number: int, document: dict[str, Any]) -> Sample:
    is_choice = source.OUTPUT_TYPE == "multiple_choice"
    return Sample(
        str(number),
        str(document[prompts.field]),
        metadata={"document": number},
        choices=_choices(source, name, document) if is_choice else (),
    )
