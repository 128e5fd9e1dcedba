"""The fields of transformers' TrainingArguments in a recipe: defaults, and checks that need no heavy import."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from holdfast.errors import UserError
from holdfast.suggestions import did_you_mean
from holdfast.training.library_fields import LibraryField, reporters, training_arguments

DEFAULT_ARGUMENTS: Mapping[str, Any] = {
    "learning_rate": 5e-4,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 0.03,  # as a fraction of all steps
    "per_device_train_batch_size": 8,
    "num_train_epochs": 3,
    "logging_steps": 10,
    "save_steps": 500,
    "report_to": "none",
}
"""Learning rate, cosine schedule and warm-up are those of the Flat-LoRA paper (arXiv 2409.14396)."""

_POSITIVE = (
    "num_train_epochs",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
    "logging_steps",
    "save_steps",
    "eval_steps",
    "eval_accumulation_steps",
    "adam_epsilon",
)
_NOT_NEGATIVE = ("learning_rate", "weight_decay", "max_grad_norm", "warmup_steps", "dataloader_num_workers")
_SHARES = ("label_smoothing_factor", "adam_beta1", "adam_beta2")
_RANGES: Sequence[tuple[Sequence[str], str, Callable[[float], bool]]] = (
    (_POSITIVE, "> 0", lambda value: value > 0),
    (_NOT_NEGATIVE, ">= 0", lambda value: value >= 0),
    (_SHARES, ">= 0 and < 1", lambda value: 0 <= value < 1),
)

_METRICS = "evaluation gives the loss, and the accuracy and F1 of a classifier"
_REFUSED: Mapping[str, str] = {
    "output_dir": "name the directory with --output_path",
    "resume_from_checkpoint": "training resumes automatically if --output_path holds its checkpoints",
    "label_names": "the labels are made from the data's completions or labels",
    "length_column_name": "examples are grouped by their number of tokens",
    "include_for_metrics": _METRICS,
    "batch_eval_metrics": _METRICS,
    "eval_do_concat_batches": _METRICS,
    "eval_use_gather_object": _METRICS,
    "fp16_full_eval": "training evaluates in the precision in which it trains: set fp16",
    "bf16_full_eval": "training evaluates in the precision in which it trains: set bf16",
    "do_predict": "holdfast run answers prompts with the trained adapter",
    "parallelism_config": "a micro-batch is not split over devices; use data parallelism, FSDP or DeepSpeed",
}
"""Fields that would have no effect, or a wrong one, here."""

_WORKERS = ("dataloader_persistent_workers", "dataloader_prefetch_factor", "dataloader_multiprocessing_context")
_HUB = ("hub_model_id", "hub_strategy", "hub_token", "hub_private_repo", "hub_always_push", "hub_revision")
_NEEDS: Sequence[tuple[Sequence[str], str, str]] = (
    (_WORKERS, "dataloader_num_workers", "worker processes: set dataloader_num_workers"),
    (("gradient_checkpointing_kwargs",), "gradient_checkpointing", "gradient_checkpointing"),
    (("liger_kernel_config",), "use_liger_kernel", "use_liger_kernel"),
    (("fsdp_config",), "fsdp", "fsdp"),
    (_HUB, "push_to_hub", "push_to_hub"),
)
"""Fields without effect unless another one is set, and what they need."""

_STEPS = {"save_steps": "save_strategy", "eval_steps": "eval_strategy", "logging_steps": "logging_strategy"}
_EVALUATIONS = ("eval_steps", "eval_delay", "eval_accumulation_steps", "per_device_eval_batch_size")
_PLATEAUS = ("reduce_lr_on_plateau", "greedy")
"""Schedules that read the evaluations."""


def check_arguments(given: Mapping[str, Any], evaluates: bool, others: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with numbers in place of their spellings, and with the defaults of this package.

    Args:
        given: Fields of TrainingArguments.
        evaluates: Whether there are data to evaluate on.
        others: What a mistyped name may have meant as well.

    Raises:
        UserError: If a field is unknown, can't be used here or has a wrong value.
    """
    known = training_arguments()
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            hint = did_you_mean(name, [*others, *known])
            raise UserError(f"unknown setting '{name}', neither a recipe field nor a TrainingArguments field{hint}")
        if name in _REFUSED and value not in (None, known[name].default):
            raise UserError(f"{name} can't be set: {_REFUSED[name]}")
        found[name] = _check_value(name, value, known[name])
    _check_ranges(found)
    _check_reporters(found.get("report_to"))
    complete = {**DEFAULT_ARGUMENTS, **({"eval_strategy": "epoch"} if evaluates else {}), **found}
    is_set = {name for name, value in found.items() if value not in (None, known[name].default)}
    _check_effects(is_set, complete)
    _check_evaluation(is_set, complete, evaluates)
    return complete


def _check_value(name: str, value: Any, field: LibraryField) -> Any:
    if value is None:
        return None
    if field.is_number:
        number = parse_number(name, value)
        if "float" not in field.types and number != int(number):
            raise UserError(f"{name} must be a whole number, got {number:g}")
        return int(number) if number == int(number) else number
    if field.is_switch and not isinstance(value, bool):
        raise UserError(f"{name} must be true or false, got {value!r}")
    if field.choices and isinstance(value, str) and value not in field.choices:
        raise UserError(f"{name}: unknown '{value}'{did_you_mean(value, field.choices)}")
    return value


def parse_number(name: str, value: Any) -> int | float:
    """Return the number that `value` is or spells: YAML reads 1e-4 as a string.

    Raises:
        UserError: If it is none, or not finite.
    """
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise UserError(f"{name} must be a number, got {value!r}") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e308:
        raise UserError(f"{name} must be a finite number, got {value!r}")
    return value


def _check_ranges(arguments: Mapping[str, Any]) -> None:
    """Reject values that TrainingArguments accepts silently but that make training fail or have no effect."""
    if (steps := arguments.get("max_steps", -1)) != -1 and steps < 1:
        raise UserError(f"max_steps must be a whole number >= 1, got {steps:g}; leave it out to train whole epochs")
    for names, rule, is_valid in _RANGES:
        for name in names:
            if arguments.get(name) is not None and not is_valid(arguments[name]):
                raise UserError(f"{name} must be {rule}, got {arguments[name]:g}")


def _check_effects(is_set: Collection[str], arguments: Mapping[str, Any]) -> None:
    """Raise UserError for a field that another one leaves without effect."""
    for names, other, need in _NEEDS:
        for name in names:
            if name in is_set and not arguments.get(other):
                raise UserError(f"{name} needs {need}")
    for name, strategy in _STEPS.items():
        chosen = arguments.get(strategy) or "steps"
        if name in is_set and chosen not in ("steps", "best"):
            raise UserError(f"{name} has no effect with {strategy}={chosen}: leave one of them out")
    if "optim_target_modules" in is_set and not re.match("galore|apollo", str(arguments.get("optim"))):
        raise UserError("optim_target_modules needs an optimizer of GaLore or APOLLO: set optim, or leave it out")


def _check_reporters(given: Any) -> None:
    known = reporters()
    names = [given] if isinstance(given, str) else given or []
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise UserError(f"report_to must be a name or a list of names, as in tensorboard, got {given!r}")
    for name in names:
        if known and name not in ("all", "none", *known):
            raise UserError(f"report_to: unknown '{name}'{did_you_mean(name, ['none', *known])}")


def _check_evaluation(is_set: Collection[str], arguments: Mapping[str, Any], evaluates: bool) -> None:
    for name in ("eval_strategy", "do_eval", "eval_on_start", "load_best_model_at_end", *_EVALUATIONS):
        if not evaluates and name in is_set:
            raise UserError(f"{name} needs data to evaluate on: name it with --eval_data")
    metric = str(arguments.get("metric_for_best_model") or "loss").removeprefix("eval_")
    if metric != "loss":
        raise UserError(f"metric_for_best_model must be loss, got '{metric}': {_METRICS}")
    if arguments.get("greater_is_better"):
        raise UserError("greater_is_better must be false: the best checkpoint is the one with the lowest loss")
    evaluated, saved = arguments.get("eval_strategy") or "no", arguments.get("save_strategy") or "steps"
    if evaluated == "no":
        if arguments.get("load_best_model_at_end") or saved == "best":
            raise UserError("the best checkpoint is found by evaluating: set eval_strategy and --eval_data")
        if arguments.get("lr_scheduler_type") in _PLATEAUS:
            raise UserError(
                f"lr_scheduler_type={arguments['lr_scheduler_type']} follows the evaluations: set eval_strategy and "
                "--eval_data"
            )
    if arguments.get("load_best_model_at_end") and saved != "best":
        if evaluated != saved:
            raise UserError(
                f"load_best_model_at_end needs an evaluation of every checkpoint, but eval_strategy is {evaluated} and "
                f"save_strategy is {saved}: set save_strategy to {evaluated} or best"
            )
        steps = arguments["save_steps"], arguments.get("eval_steps") or arguments["logging_steps"]
        if evaluated == "steps" and min(steps) >= 1 and steps[0] % steps[1]:
            raise UserError(
                f"load_best_model_at_end needs an evaluation of every checkpoint: save_steps ({steps[0]:g}) must be a "
                f"multiple of eval_steps ({steps[1]:g})"
            )
