"""`holdfast train`: from a recipe to an adapter, its checkpoints and its card."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line
from holdfast.training.base_model import (
    LORA_PLUS,
    begins_with_the_base,
    kind_of,
    load_config,
    load_model,
    load_tokenizer,
)
from holdfast.training.contract import TrainingContext
from holdfast.training.folder import claim, damage, last_checkpoint, missing, step_of
from holdfast.training.recipe import Recipe
from holdfast.training.training_card import CARD, TrainingCard
from holdfast.version import __version__

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import TrainingArguments

    from holdfast.training.examples import Example, TooLong
    from holdfast.training.loop.batches import Collator
    from holdfast.training.loop.method_trainer import MethodTrainer

_BEGINNING = "beginning"
"""Where an adapter is kept as it began, as long as it takes to save what it became."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What a training needs besides its settings; `over` says what became of examples of more than
    `longest` tokens."""

    examples: list[Example]
    model: Any
    tokenizer: Any
    collator: Collator
    rows: list[Any]
    evaluated: list[Any] | None
    longest: int
    over: TooLong


def train_recipe(recipe: Recipe, checkpoint: Path, base_digest: str) -> Path:
    """Train, or resume in `recipe.output_path`, and return the directory of the finished adapter (or full model).

    `checkpoint` is the directory of the base, `base_digest` says what is in it. Raises UserError for mistakes in the
    recipe and the data, for an output directory that holds another recipe's checkpoints, and for a loss that is no
    number any more.
    """
    from transformers import set_seed

    from holdfast.training.examples import digest_of_examples, read_examples

    started = time.time()
    out = Path(recipe.output_path)
    examples = read_examples(recipe.data)
    _check_objective(recipe, examples)
    digests = {"data_digest": digest_of_examples(examples), "base_digest": base_digest}
    claim(out, recipe, digests)
    if (out / CARD).exists():
        if not (wrong := damage(out, "*model*") or missing(out, weights_only=True)):
            warnings.warn(f"{out} holds what this recipe makes already: nothing was trained", stacklevel=2)
            return out
        warnings.warn(f"{out} is damaged ({wrong}): it is made again", stacklevel=2)
    begun = last_checkpoint(out, weights_only=bool(recipe.arguments.get("save_only_model")))
    set_seed(recipe.seed)
    made = _prepared(recipe, checkpoint, examples, out)
    initial = {name: parameter.clone() for name, parameter in _factors(made.model)}
    trainer = _trainer(recipe, made, out)
    with _silence_peft_base_lookup():
        metrics = _trained(trainer, begun, out)
        if trainer.is_world_process_zero():
            _save(made.model, made.tokenizer, recipe, out)
            _write_card(recipe, made, digests, initial, metrics, time.time() - started, out)
    return out


def _check_objective(recipe: Recipe, examples: Sequence[Example]) -> None:
    """Raise UserError for an objective that the data don't fit; warn about perturbations that nothing uses."""
    objective = recipe.methods().get("loss")
    if objective and not objective[0].classifies and any(each.label is not None for each in examples):
        raise UserError(
            f"--objective {recipe.objective} compares generated answers, which a classifier does not write: use "
            "consistency or rdrop"
        )
    if "perturbations" in recipe.model_fields_set and not (objective and objective[0].perturbs):
        warnings.warn(
            f"--objective {recipe.objective} does not perturb prompts: --perturbations is ignored", stacklevel=3
        )


def _prepared(recipe: Recipe, checkpoint: Path, examples: list[Example], out: Path) -> _Prepared:
    """The model under its adapter, and the examples as tokens."""
    from holdfast.training.class_labels import check_ends, classes_of
    from holdfast.training.examples import encode, fitting
    from holdfast.training.loop.batches import Collator

    name = str(recipe.model_args["pretrained"])
    config = load_config(checkpoint, name)
    kind = kind_of(examples, config, recipe)
    classes = classes_of(examples, config, recipe.data) if kind == "classification" else 0
    tokenizer = load_tokenizer(checkpoint, name)
    longest = recipe.max_length or int(min(getattr(config, "max_position_embeddings", 2048), 2**20))
    seq2seq = kind == "seq2seq"
    encoded = [encode(each, tokenizer, seq2seq=seq2seq) for each in examples]
    if classes:
        check_ends(encoded, config, tokenizer, name)
    rows, over = fitting(encoded, longest, recipe.too_long)
    no_room = ", since the completion leaves no room for a prompt"
    _warn_truncated(over, f"{len(examples)} examples", longest, no_room if recipe.too_long == "cut" else "")
    evaluated = None
    if recipe.eval_data:
        others = _to_evaluate(recipe.eval_data, classes)
        evaluated, longer = fitting([encode(each, tokenizer, seq2seq=seq2seq) for each in others], longest, "cut")
        _warn_truncated(longer, f"{len(others)} examples of --eval_data", longest, no_room)
    model = load_model(checkpoint, recipe, kind, classes, tokenizer)
    if begins_with_the_base(recipe) and os.environ.get("RANK", "0") == "0":
        _keep_beginning(model, out)
    collator = Collator(tokenizer.pad_token_id, kind, int(getattr(config, "decoder_start_token_id", 0) or 0))
    return _Prepared(examples, model, tokenizer, collator, rows, evaluated, longest, over)


def _warn_truncated(over: TooLong, of: str, longest: int, why: str) -> None:
    done = {"prompt cut at its beginning": over.cut, f"left out{why}": over.left_out}
    if any(done.values()):
        said = ", ".join(f"{each}: {count}" for each, count in done.items() if count)
        total = over.cut + over.left_out
        warnings.warn(f"{total} of {of} are longer than {longest} tokens; {said}", stacklevel=4)


def _to_evaluate(source: str, classes: int) -> list[Example]:
    """The examples of --eval_data; raises UserError where they ask for something other than the training's."""
    from holdfast.training.class_labels import check_labels
    from holdfast.training.examples import read_examples

    examples = read_examples(source)
    if any((each.label is not None) != bool(classes) for each in examples):
        wanted = "labels" if classes else "completions"
        raise UserError(f"--eval_data '{source}': the training is on {wanted}, and not every row here has one")
    if classes:
        check_labels(examples, classes, source)
    return examples


def _trainer(recipe: Recipe, made: _Prepared, out: Path) -> MethodTrainer:
    """The Trainer with the recipe's objective and noise; raises UserError for what it can't be set up with."""
    from holdfast.training.loop.batches import Perturber
    from holdfast.training.loop.method_trainer import MethodTrainer, plain_objective

    settings = _settings(recipe, out)
    perturber = Perturber(made.examples, recipe.perturbations, recipe.seed, made.tokenizer, made.collator, made.longest)
    context = TrainingContext(
        model=made.model,
        tokenizer=made.tokenizer,
        kind=made.collator.kind,
        examples=made.examples,
        encode=perturber.encoded,
        seed=recipe.seed,
        full=recipe.full,
    )
    methods = {place: method.build(settings, context) for place, (method, settings) in recipe.methods().items()}
    try:
        return MethodTrainer(
            model=made.model,
            args=settings,
            data_collator=made.collator,
            train_dataset=_Rows(made.rows),
            eval_dataset=_Rows(made.evaluated) if made.evaluated else None,
            processing_class=made.tokenizer,
            objective=methods.get("loss", plain_objective),
            perturber=perturber,
            noise=methods.get("weights"),
            optimizers=(_lora_plus(made.model, recipe, settings), None),
        )
    except UserError:
        raise
    except Exception as error:  # a reporter that is not installed, a device or a hub that is not there
        raise UserError(f"the Trainer can't be set up: {first_line(error)}") from None


def _settings(recipe: Recipe, out: Path) -> TrainingArguments:
    """The Trainer's own settings."""
    import torch
    from transformers import TrainingArguments

    arguments = {
        "remove_unused_columns": False,
        "dataloader_pin_memory": torch.cuda.is_available(),
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "label_names": ["labels"],
        **recipe.arguments,
    }
    if "wandb" in str(arguments.get("report_to")):
        os.environ.setdefault("WANDB_MODE", "offline")  # nothing opens a connection unasked
    try:
        return TrainingArguments(output_dir=str(out), **arguments)
    except (TypeError, ValueError, ImportError) as error:  # ImportError: DeepSpeed and the like, asked for but missing
        raise UserError(f"TrainingArguments: {first_line(error)}") from None


@contextmanager
def _silence_peft_base_lookup() -> Iterator[None]:
    """peft looks for the base by its name when a checkpoint is saved, and says at length that it did not find it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(Unable to fetch remote file|Could not find a config file).*")
        yield


def _trained(trainer: MethodTrainer, begun: Path | None, out: Path) -> Mapping[str, Any]:
    """Train, from the checkpoint `begun` on; the metrics. Raises UserError for a checkpoint that does not fit, and for
    a training that diverged."""
    try:
        result = trainer.train(resume_from_checkpoint=str(begun) if begun else None)
    except ImportError as error:  # an optimizer, for one, is only looked for now
        raise UserError(f"the training needs more than is installed: {first_line(error)}") from None
    except RuntimeError as error:
        if begun and "state_dict" in str(error):
            raise UserError(
                f"{begun} does not fit this recipe's model, so another training made it: delete it, or choose another "
                "--output_path"
            ) from None
        if not _is_lack_of_memory(error):
            raise
        raise UserError(
            f"out of memory with {trainer.args.per_device_train_batch_size} examples at a time: a smaller "
            "--per_device_train_batch_size with more --gradient_accumulation_steps trains on the same batches, "
            "--gradient_checkpointing and --max_length need less, too"
        ) from None
    learning = [parameter for parameter in trainer.model.parameters() if parameter.requires_grad]
    if not all(bool(parameter.isfinite().all()) for parameter in learning):
        raise UserError(
            f"the training diverged: what was trained is no numbers any more; lower the learning rate ({out})"
        )
    metrics: dict[str, Any] = dict(result.metrics)
    if begun:  # the Trainer's mean begins anew with each process
        last = metrics.pop("train_loss")
        metrics["resumed_at_step"] = step_of(begun)
        if result.global_step > step_of(begun):
            metrics["train_loss_since_resumed"] = last
    return metrics


def _is_lack_of_memory(error: RuntimeError) -> bool:
    """Whether a GPU's or the CPU's allocator had no more; the CPU's has no class of its own."""
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
    """The card of a finished training; `initial` are the adapter's A and B as they began."""
    trained = {name: parameter.detach() for name, parameter in made.model.named_parameters() if parameter.requires_grad}
    moved = sum(float((parameter - initial[name]).double().pow(2).sum()) for name, parameter in _factors(made.model))
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
    ).write(out)


class _Rows(list[Any]):
    """A list that the Trainer takes for a data set."""


def _factors(model: Any) -> list[tuple[str, Any]]:
    """The adapter's A and B, by name."""
    return [(name, parameter.detach()) for name, parameter in model.named_parameters() if ".lora_" in name]


def _lora_plus(model: Any, recipe: Recipe, settings: Any) -> Any:
    """LoRA+ (Hayou et al. 2024): B learns so many times faster than A; None for the Trainer's own optimizer."""
    from peft.optimizers import create_loraplus_optimizer
    from transformers import Trainer

    ratio = recipe.lora.get(LORA_PLUS)
    if not isinstance(ratio, (int, float)) or recipe.full:
        return None
    kind, arguments = Trainer.get_optimizer_cls_and_kwargs(settings)
    return create_loraplus_optimizer(model, kind, **arguments, loraplus_lr_ratio=float(ratio))


def _keep_beginning(model: Any, out: Path) -> None:
    """Save the adapter as it begins: without that, what was taken out of the base can't be put back."""
    config = model.peft_config["default"]
    begun, config.init_lora_weights = config.init_lora_weights, True
    model.save_pretrained(out / _BEGINNING, save_embedding_layers=False)
    config.init_lora_weights = begun


def _save(model: Any, tokenizer: Any, recipe: Recipe, out: Path) -> None:
    """What was trained, so that it fits the base as it was: an adapter that began with a part of the base's weights
    (PiSSA, OLoRA) becomes a plain one of twice the rank."""
    if recipe.full:
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)
    elif begins_with_the_base(recipe):
        beginning = str((out / _BEGINNING).resolve())
        with warnings.catch_warnings():  # peft warns of what this undoes
            warnings.filterwarnings("ignore", message=".*changes the base weights of the model")
            model.save_pretrained(out, save_embedding_layers=False, path_initial_model_for_weight_conversion=beginning)
        shutil.rmtree(beginning)
    else:
        model.save_pretrained(out, save_embedding_layers=False)


def _versions() -> dict[str, str]:
    import peft
    import torch
    import transformers

    libraries = {"torch": torch, "transformers": transformers, "peft": peft}
    return {"holdfast": __version__, **{name: str(library.__version__) for name, library in libraries.items()}}
