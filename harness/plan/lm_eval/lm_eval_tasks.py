"""Load tasks of lm-eval by name, as in `lm_eval/gsm8k`."""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import yaml

from holdfast.errors import UserError, first_line
from holdfast.harness.plan.lm_eval.lm_eval_chat import Chat, chat_of
from holdfast.harness.plan.lm_eval.lm_eval_prompts import Prompts, prompts_of
from holdfast.harness.plan.lm_eval.lm_eval_scores import register_scores
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.lm_eval_settings import LmEvalSettings
from holdfast.paths import expanded
from holdfast.suggestions import did_you_mean
from holdfast.tasks import Sample, Task
from holdfast.tasks.data_files.data_sets import without_progress_bars
from holdfast.tasks.lm_eval_keys.few_shot import SEED

PREFIX = "lm_eval/"
"""How the name of a task of lm-eval begins."""

_MAX_NEW_TOKENS = 256
"""The length of an answer, in tokens, where a task of lm-eval sets none."""

_NO_TEMPLATE = "none"

_LONGEST_HINT = 200

_INCLUDE = re.compile(r"(?m)^include:[ \t]*[\"']?([^\s\"'#]+)")

_LENGTHS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")


def is_lm_eval_task(name: object) -> bool:
    """Return whether a task is one of lm-eval by its name."""
    return isinstance(name, str) and name.startswith(PREFIX)


def lm_eval_tasks(asked: Sequence[str | Task], config: RunConfig | None) -> list[str | Task]:
    """Return the tasks with those of lm-eval loaded; a group or tag of lm-eval is all its tasks.

    The answers of such a task are scored by lm-eval's own filters and metrics, which its metric of the same name runs.

    Args:
        asked: Tasks, or what names them.
        config: How they are asked; None means as they are.

    Raises:
        UserError: If lm-eval is not installed, has no such task, can't load its data, or the task needs what can't be
            perturbed: other requests than one generation or one choice per document.
    """
    settings = config.lm_eval if config else LmEvalSettings()
    wanted = [name.removeprefix(PREFIX) for name in asked if isinstance(name, str) and is_lm_eval_task(name)]
    if not wanted:
        if settings.given:
            raise UserError(f"--{settings.given[0]} is about tasks of lm-eval, as in --tasks {PREFIX}gsm8k: omit it")
        return list(asked)
    manager, chat = _manager(wanted, settings.include_path), chat_of(config) if config else None
    found: list[str | Task] = []
    for name in asked:
        found += (
            list(_loaded(manager, name, settings, chat)) if isinstance(name, str) and is_lm_eval_task(name) else [name]
        )
    return found


def check_templates(config: RunConfig, asked: Sequence[str | Task]) -> None:
    """Raise UserError if tasks of lm-eval, whose prompts are complete, are asked together with others that are not."""
    kinds = {is_lm_eval_task(task.name if isinstance(task, Task) else task) for task in asked}
    if kinds == {True, False} and config.model != "api" and config.model_args.get("chat_template") != _NO_TEMPLATE:
        raise UserError(
            "prompts of lm-eval's tasks are sent as they are, those of other tasks in the model's chat template: run "
            f"them separately, or set chat_template={_NO_TEMPLATE} in --model_args"
        )


def for_engine(config: RunConfig) -> RunConfig:
    """Return the configuration for the engine, which must not put prompts of lm-eval's tasks into a template again."""
    if config.model == "api" or not any(map(is_lm_eval_task, config.tasks)):
        return config
    plain = {"model_args": {**config.model_args, "chat_template": _NO_TEMPLATE}, "chat_template_kwargs": {}}
    return config.model_copy(update=plain)


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


def _loaded(manager: Any, asked: str, settings: LmEvalSettings, chat: Chat | None) -> Iterator[Task]:
    name = asked.removeprefix(PREFIX)
    if name not in manager.all_tasks:
        _check_files(settings.include_path)
        hint = did_you_mean(name, manager.all_tasks)
        hint = hint if len(hint) < _LONGEST_HINT else " (lm-eval ls tasks lists them)"
        raise UserError(f"lm-eval has no task '{name}'{hint}")
    try:
        with without_progress_bars():
            sources = manager.load([name])["tasks"]
    except Exception as error:  # whatever a task file, its Python code or the data's loader raises
        raise UserError(f"lm-eval can't load its task '{name}' ({type(error).__name__}: {first_line(error)})") from None
    for source in sources.values():
        yield _task(source, settings, chat)


def _check_files(include_path: str | None) -> None:
    """Raise UserError at a task file that lm-eval leaves out without a word: not YAML, or including a missing file."""
    for file in sorted(expanded(include_path).rglob("*.y*ml")) if include_path else ():
        try:
            text = file.read_text("utf-8")
            list(yaml.parse(text))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UserError(f"{file} can't be read: {first_line(error)}") from None
        included = _INCLUDE.search(text)
        if included and not (file.parent / included[1]).is_file():
            raise UserError(f"{file} includes '{included[1]}', which is not a file")


def _task(source: Any, settings: LmEvalSettings, chat: Chat | None) -> Task:
    name = f"{PREFIX}{source.task_name}"
    kind = source.OUTPUT_TYPE
    if kind not in ("generate_until", "multiple_choice") or getattr(source, "multiple_input", False):
        what = "several contexts per document" if kind == "multiple_choice" else f"output_type {kind}"
        raise UserError(
            f"task '{name}' can't be run ({what}): only generate_until, and multiple_choice with one context, are "
            "supported"
        )
    if (repeats := source.get_config("repeats") or 1) > 1:
        raise UserError(f"task '{name}' asks each question {repeats} times, which isn't possible here")
    _set_fewshot(source, settings)
    documents = list(source.eval_docs)
    if not documents:
        raise UserError(f"task '{name}' has no documents")
    prompts = prompts_of(source, name, documents, settings.system_instruction, chat)
    generation = source.get_config("generation_kwargs") or {}
    if generation.get("do_sample") and kind == "generate_until":
        raise UserError(f"task '{name}' samples its answers (do_sample), but answers here are greedy")
    register_scores(source, name, documents)
    until = generation.get("until") or []
    samples = tuple(_sample(source, prompts, i, chat=chat is not None) for i in range(len(documents)))
    return Task(
        name=name,
        samples=samples,
        metrics=(name,),
        prompt=prompts,
        max_new_tokens=next((int(generation[key]) for key in _LENGTHS if key in generation), _MAX_NEW_TOKENS),
        stop=tuple([until] if isinstance(until, str) else filter(None, until)),
        joined=any(not choice[:1].isspace() for sample in samples for choice in sample.choices),
    )


def _set_fewshot(source: Any, settings: LmEvalSettings) -> None:
    """Set the number of few-shot examples as lm-eval does: a task that sets it to 0 keeps that."""
    own = source.get_config("num_fewshot")
    if own is None or (settings.num_fewshot is not None and own != 0):
        source.set_config("num_fewshot", settings.num_fewshot or 0)
    source.set_fewshot_seed(SEED)


def _sample(source: Any, prompts: Prompts, number: int, *, chat: bool) -> Sample:
    document = prompts.documents[number]
    sample = Sample(str(number), str(document[prompts.field]), metadata={"document": number})
    if source.OUTPUT_TYPE == "generate_until":
        return sample
    prefix = source.doc_to_prefix(document) or ""
    delimiter = "" if chat and (not prefix or prefix[-1].isspace()) else source.config.target_delimiter  # as in lm-eval
    between = prompts.white_space_after(number) + delimiter
    return replace(sample, choices=tuple(f"{between}{choice}" for choice in source.doc_to_choice(document)))
