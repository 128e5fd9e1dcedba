"""`holdfast train`: turns a recipe into an adapter with its checkpoints and training card."""

from __future__ import annotations

import hashlib
import os
import resource
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line
from holdfast.training.base_model import (
    infer_kind,
    init_changes_base,
    load_config,
    load_model,
    load_tokenizer,
)
from holdfast.training.contract import TrainingContext
from holdfast.training.folder import (
    claim,
    find_damage,
    find_last_checkpoint,
    find_missing_part,
    keep_if_begun,
    step_of,
)
from holdfast.training.lora_settings import LORA_PLUS
from holdfast.training.recipe import Recipe
from holdfast.training.saving import save_initial_adapter, save_result
from holdfast.training.starting import start
from holdfast.training.training_card import CARD, TrainingCard
from holdfast.version import __version__
from holdfast.writing import OUTPUT, named_errors

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import TrainingArguments

    from holdfast.training.class_labels import Classes
    from holdfast.training.examples import Example, TooLong
    from holdfast.training.loop.batches import Collator
    from holdfast.training.loop.method_trainer import MethodTrainer


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The model and the data of a training run; `over` counts the examples longer than `longest` tokens."""

    examples: list[Example]
    model: Any
    tokenizer: Any
    collator: Collator
    rows: list[Any]
    evaluated: list[Any] | None
    longest: int
    over: TooLong
    clock: datetime
    class_names: tuple[str, ...]


def train_recipe(recipe: Recipe, checkpoint: Path, base_digest: str) -> Path:
    """Train, or resume training in `recipe.output_path`.

    Args:
        recipe: The recipe.
        checkpoint: The directory of the base model.
        base_digest: A digest of its content.

    Returns:
        The directory of the finished adapter (or full model).

    Raises:
        UserError: For mistakes in the recipe or the data, for an output directory with another recipe's checkpoints, if
            memory runs out, and if training diverges.
    """
    from holdfast.training.examples import digest_of_examples, read_examples

    started = time.time()
    out = Path(recipe.output_path)
    examples = read_examples(recipe.data)
    digests = {"data_digest": digest_of_examples(examples), "base_digest": base_digest}
    with keep_if_begun(out), named_errors(out, OUTPUT):
        clock = claim(out, recipe, digests)  # before anything heavy is imported
        if (out / CARD).exists():
            if not (wrong := find_damage(out, "*model*") or find_missing_part(out, weights_only=True)):
                warnings.warn(f"{out} already holds the result of this recipe: nothing was trained", stacklevel=2)
                return out
            warnings.warn(f"{out} is damaged ({wrong}): training again", stacklevel=2)
        _check_noise(recipe)
        _check_objective(recipe, examples)
        _train(recipe, checkpoint, examples, digests, out, clock, started)
    return out


def _train(
    recipe: Recipe,
    checkpoint: Path,
    examples: list[Example],
    digests: Mapping[str, str],
    out: Path,
    clock: datetime,
    started: float,
) -> None:
    from transformers import set_seed

    resumed_from = find_last_checkpoint(out, weights_only=bool(recipe.arguments.get("save_only_model")))
    set_seed(recipe.seed)
    made = _prepare(recipe, checkpoint, examples, out, clock)
    initial = {name: parameter.clone() for name, parameter in _adapter_factors(made.model)}
    trainer = _build_trainer(recipe, made, out)
    with _silence_peft_base_lookup():
        metrics = _run(trainer, resumed_from, out)
        if trainer.is_world_process_zero():
            save_result(made.model, made.tokenizer, recipe, out)
            _write_card(recipe, made, digests, initial, metrics, time.time() - started, out)


def _check_noise(recipe: Recipe) -> None:
    """Raise UserError for a noise that reads gradients with DeepSpeed, whose engine doesn't leave them in `grad`."""
    from transformers.utils.generic import strtobool

    noise = recipe.methods().get("weights")
    launched = strtobool(os.environ.get("ACCELERATE_USE_DEEPSPEED", "false"))  # set by `accelerate launch`
    if noise and noise[0].reads_gradients and (recipe.arguments.get("deepspeed") or launched):
        raise UserError(
            f"--noise {recipe.noise} needs gradients that DeepSpeed does not expose: train without DeepSpeed, or use "
            "flat_lora"
        )


def _check_objective(recipe: Recipe, examples: Sequence[Example]) -> None:
    """Raise UserError if the objective can't be used with the data; warn about settings that it doesn't use."""
    objective = recipe.methods().get("loss")
    if objective and not objective[0].classifies and any(each.label is not None for each in examples):
        raise UserError(
            f"--objective {recipe.objective} compares generated answers, but a classifier generates no text: use "
            "consistency or rdrop"
        )
    if objective and objective[0].perturbs:
        return
    given = {"--perturbations": "perturbations" in recipe.model_fields_set, "--protect_facts": recipe.protect_facts}
    for flag in (flag for flag, is_given in given.items() if is_given):
        warnings.warn(f"--objective {recipe.objective} does not perturb prompts: {flag} is ignored", stacklevel=3)


def _prepare(recipe: Recipe, checkpoint: Path, examples: list[Example], out: Path, clock: datetime) -> _Prepared:
    """Load the model with its adapter and tokenize the examples."""
    from holdfast.training.class_labels import Classes, check_end_tokens, read_classes
    from holdfast.training.examples import encode_rows, fit_to_context
    from holdfast.training.loop.batches import Collator

    name = str(recipe.model_args["pretrained"])
    config = load_config(checkpoint, name, recipe.model_args)
    kind = infer_kind(examples, config, recipe)
    classes = read_classes(examples, config, recipe.data) if kind == "classification" else Classes(0)
    if classes.count:
        examples = classes.number(examples, recipe.data)
    tokenizer = load_tokenizer(checkpoint, name, recipe.model_args)
    longest = recipe.max_length or int(min(getattr(config, "max_position_embeddings", 2048), 2**20))
    seq2seq = kind == "seq2seq"
    encoded = encode_rows(examples, tokenizer, recipe.data, seq2seq=seq2seq, clock=clock)
    if classes.count:
        check_end_tokens(encoded, config, tokenizer, name)
    rows, over = fit_to_context(encoded, longest, recipe.too_long)
    no_room = " because the completion leaves no room for the prompt"
    _warn_truncated(over, f"{len(examples)} examples", longest, no_room if recipe.too_long == "cut" else "")
    evaluated = None
    if recipe.eval_data:
        others = _read_eval_examples(recipe.eval_data, classes)
        encoded = encode_rows(others, tokenizer, recipe.eval_data, seq2seq=seq2seq, clock=clock)
        evaluated, longer = fit_to_context(encoded, longest, "cut")
        _warn_truncated(longer, f"{len(others)} examples of --eval_data", longest, no_room)
    model = load_model(checkpoint, recipe, kind, classes, tokenizer)
    if init_changes_base(recipe) and os.environ.get("RANK", "0") == "0":
        save_initial_adapter(model, out)
    collator = Collator(tokenizer.pad_token_id, kind, int(getattr(config, "decoder_start_token_id", 0) or 0))
    return _Prepared(examples, model, tokenizer, collator, rows, evaluated, longest, over, clock, classes.names)


def _warn_truncated(over: TooLong, of: str, longest: int, why: str) -> None:
    done = {"prompt truncated at the start": over.cut, f"left out{why}": over.left_out}
    if any(done.values()):
        counts = ", ".join(f"{each}: {count}" for each, count in done.items() if count)
        total = over.cut + over.left_out
        warnings.warn(f"{total} of {of} are longer than {longest} tokens; {counts}", stacklevel=4)


def _read_eval_examples(source: str, classes: Classes) -> list[Example]:
    """Read the examples of --eval_data; raises UserError unless they have labels or completions as training does."""
    from holdfast.training.examples import read_examples

    examples = read_examples(source)
    if any((each.label is not None) != bool(classes.count) for each in examples):
        kind = "label" if classes.count else "completion"
        raise UserError(f"--eval_data '{source}': every row needs a {kind}, as in --data")
    return classes.number(examples, source) if classes.count else examples


def _build_trainer(recipe: Recipe, made: _Prepared, out: Path) -> MethodTrainer:
    """Build the Trainer with the recipe's objective and noise; raises UserError if the settings don't allow it."""
    from holdfast.training.loop.batches import Perturber, Rows
    from holdfast.training.loop.method_trainer import MethodTrainer, plain_objective

    settings = _make_arguments(recipe, out)
    perturber = Perturber(
        made.examples,
        recipe.perturbations,
        recipe.seed,
        made.tokenizer,
        made.collator,
        made.longest,
        made.clock,
        recipe.protect_facts,
    )
    context = TrainingContext(
        model=made.model,
        tokenizer=made.tokenizer,
        kind=made.collator.kind,
        examples=made.examples,
        encode=perturber.encode,
        seed=recipe.seed,
        full=recipe.full,
    )
    methods = {place: start(method, chosen, context) for place, (method, chosen) in recipe.methods().items()}
    try:
        return MethodTrainer(
            model=made.model,
            args=settings,
            data_collator=made.collator.collate,
            train_dataset=Rows(made.rows),
            eval_dataset=Rows(made.evaluated) if made.evaluated else None,
            processing_class=made.tokenizer,
            objective=methods.get("loss", plain_objective),
            perturber=perturber,
            noise=methods.get("weights"),
            noise_name=recipe.noise,
            optimizers=(_make_lora_plus_optimizer(made.model, recipe, settings), None),
        )
    except UserError:
        raise
    except Exception as error:  # for instance a reporter that is not installed, or a missing device
        raise UserError(f"the Trainer can't be set up: {first_line(error)}") from None


def _make_arguments(recipe: Recipe, out: Path) -> TrainingArguments:
    """Make the Trainer's arguments; raises UserError if it rejects one."""
    import torch
    from transformers import TrainingArguments

    arguments = {
        "dataloader_pin_memory": torch.cuda.is_available(),
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "label_names": ["labels"],
        **recipe.arguments,
        "remove_unused_columns": False,  # the collator makes the columns, and the model knows all of them
    }
    if "wandb" in str(arguments.get("report_to")):
        os.environ.setdefault("WANDB_MODE", "offline")  # never connect unless the user asks for it
    try:
        return TrainingArguments(output_dir=str(out), **arguments)
    except (TypeError, ValueError, ImportError) as error:  # ImportError: DeepSpeed, say, is not installed
        raise UserError(f"TrainingArguments: {first_line(error)}") from None


@contextmanager
def _silence_peft_base_lookup() -> Iterator[None]:
    """Silence peft's warnings that it can't find the base model online, which it looks up for every checkpoint."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(Unable to fetch remote file|Could not find a config file).*")
        yield


def _run(trainer: MethodTrainer, resumed_from: Path | None, out: Path) -> Mapping[str, Any]:
    """Train, from a checkpoint if there is one, and return the Trainer's metrics.

    Raises UserError if the checkpoint doesn't fit, a library is missing, memory runs out or training diverges.
    """
    try:
        result = trainer.train(resume_from_checkpoint=str(resumed_from) if resumed_from else None)
    except ImportError as error:  # some optimizers, for instance, are only imported here
        raise UserError(f"training needs a library that is not installed: {first_line(error)}") from None
    except RuntimeError as error:
        if resumed_from and "state_dict" in str(error):
            raise UserError(
                f"{resumed_from} does not fit this recipe's model: it comes from another training run; delete it, or "
                "choose another --output_path"
            ) from None
        if not _is_out_of_memory(error):
            raise
        raise UserError(
            f"out of memory with {trainer.args.per_device_train_batch_size} examples per device: lower "
            "--per_device_train_batch_size and raise --gradient_accumulation_steps to keep the batch size, set "
            "--gradient_checkpointing, or lower --max_length"
        ) from None
    trained = [parameter for parameter in trainer.model.parameters() if parameter.requires_grad]
    if not all(bool(parameter.isfinite().all()) for parameter in trained):
        raise UserError(f"training diverged: the weights contain NaN or infinity; {trainer.remedy} ({out})")
    evaluations = [logged for logged in trainer.state.log_history if "eval_loss" in logged]
    metrics: dict[str, Any] = {**result.metrics, **(evaluations[-1] if evaluations else {})}
    if resumed_from:  # the Trainer's mean loss only covers the steps of this process
        last = metrics.pop("train_loss")
        metrics["resumed_at_step"] = step_of(resumed_from)
        if result.global_step > step_of(resumed_from):
            metrics["train_loss_since_resumed"] = last
    return metrics


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether the GPU or the CPU ran out of memory; torch has no exception class for the CPU."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _write_card(
    recipe: Recipe,
    made: _Prepared,
    digests: Mapping[str, str],
    initial: Mapping[str, Tensor],
    metrics: Mapping[str, Any],
    seconds: float,
    out: Path,
) -> None:
    """Write the training card; `initial` holds the adapter's A and B at initialisation."""
    trained = {name: parameter.detach() for name, parameter in made.model.named_parameters() if parameter.requires_grad}
    moved = sum(
        float((parameter - initial[name]).double().pow(2).sum()) for name, parameter in _adapter_factors(made.model)
    )
    TrainingCard(
        recipe=recipe.model_dump(mode="json", exclude={"output_path"}),
        recipe_digest=hashlib.sha256(recipe.model_dump_json(exclude={"output_path"}).encode()).hexdigest(),
        **digests,
        examples=len(made.rows),
        longer_than_context=made.over.cut + made.over.left_out,
        cut=made.over.cut,
        left_out=made.over.left_out,
        methods={method.name: asdict(settings) for method, settings in recipe.methods().values()},
        versions=_versions(),
        seconds=round(seconds, 3),
        peak_memory_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        metrics={name: value for name, value in metrics.items() if isinstance(value, (int, float))},
        norms={} if recipe.full else {name: round(float(each.float().norm()), 6) for name, each in trained.items()},
        squared_distance=None if recipe.full else moved,
        labels=list(made.class_names) or None,
    ).write(out)


def _adapter_factors(model: Any) -> list[tuple[str, Any]]:
    """Return the adapter's A and B matrices with their names."""
    return [(name, parameter.detach()) for name, parameter in model.named_parameters() if ".lora_" in name]


def _make_lora_plus_optimizer(model: Any, recipe: Recipe, settings: Any) -> Any:
    """Make a LoRA+ optimizer (Hayou et al. 2024), whose learning rate for B is higher than for A; None if not used."""
    from peft.optimizers import create_loraplus_optimizer
    from transformers import Trainer

    ratio = recipe.lora.get(LORA_PLUS)
    if not isinstance(ratio, (int, float)) or recipe.full:
        return None
    kind, arguments = Trainer.get_optimizer_cls_and_kwargs(settings)
    arguments["loraplus_weight_decay"] = settings.weight_decay
    return create_loraplus_optimizer(model, kind, **arguments, loraplus_lr_ratio=float(ratio))


def _versions() -> dict[str, str]:
    import peft
    import torch
    import transformers

    libraries = {"torch": torch, "transformers": transformers, "peft": peft}
    return {"holdfast": __version__, **{name: str(library.__version__) for name, library in libraries.items()}}
