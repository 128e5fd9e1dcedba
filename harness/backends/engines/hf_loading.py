"""Load a base model with transformers, its tokenizer and its adapters, and check that the base stays sound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.backends.engines.hf_adapters import load_adapters, mixable, run_once
from holdfast.harness.backends.engines.hf_generation import take_over
from holdfast.harness.backends.engines.prompting import Prompt, Prompting
from holdfast.harness.backends.engines.promptings import Promptings, load_tokenizer, own_promptings, template_of
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.adapter_checks import PICKLE_REFUSED
from holdfast.harness.models.checkpoints import BASE, find_checkpoint
from holdfast.harness.models.classifiers import LABELS
from holdfast.suggestions import did_you_mean
from holdfast.training.base_model import is_encoder
from holdfast.training.weight_format import WEIGHT_FORMAT, gguf_options, weight_options

ROUNDING = 1e-3
"""How much a logit may differ between batches of different sizes, in float32."""

FOUR_BIT_ROUNDING = 0.25
"""The same for weights in 4 bits: bitsandbytes multiplies them by another kernel under an adapter (0.11 measured)."""

MODEL_ARGS = (
    "pretrained",
    "tokenizer",
    "dtype",
    "max_length",
    "chat_template",
    "trust_remote_code",
    "attn_implementation",
    "device_map",
    *WEIGHT_FORMAT,
    LABELS,
)

DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A base model (wrapped by peft if there are adapters), its tokenization, and its adapters."""

    model: Any
    promptings: Promptings
    peft_names: Mapping[str, str]
    """peft's name for each adapter, by adapter name."""
    mixable: frozenset[str]
    """Names of the adapters whose prompts may share a batch."""
    ignored_generation_config: Mapping[str, Any]
    """What the checkpoint's generation_config holds and no answer depends on."""

    @property
    def prompting(self) -> Prompting:
        """The base's prompting."""
        return self.promptings.base

    @property
    def tokenizer(self) -> Any:
        """The base's tokenizer."""
        return self.prompting.tokenizer


def load(options: BackendOptions, adapters: Sequence[Adapter]) -> Loaded:
    """Load the base once, and every adapter onto it.

    Raises:
        UserError: If something doesn't fit together, the base's logits are NaN or infinite, or loading the adapters
            has changed them.
    """
    args = options.model_args
    folder, _, prompting = open_checkpoint(options)
    seq2seq = prompting.seq2seq
    model = _model(folder, options, seq2seq)
    model.eval()
    check_weights(model, str(args["pretrained"]))
    dropped = take_over(model, prompting.tokenizer, seq2seq=seq2seq)
    before = _probe_logits(model, prompting)
    rounding = FOUR_BIT_ROUNDING if args.get("load_in_4bit") is True else ROUNDING

    def check_base(wrapped: Any, adapter: Adapter) -> None:
        wrapped.eval()
        run_once(wrapped)
        with wrapped.disable_adapter():
            change = (_probe_logits(wrapped, prompting) - before).abs().max().item()
        if not change <= rounding:
            raise UserError(
                f"loading adapter '{adapter.name}' changes the base itself (its logits by {change:.3g}), so all "
                "answers would be wrong: evaluate it merged into the base (peft's merge_and_unload)"
            )

    model, names = load_adapters(model, adapters, check_base)
    model.eval()
    own = own_promptings(prompting, adapters, options)
    return Loaded(model, Promptings(prompting, own), names, mixable(model, adapters, names) - own.keys(), dropped)


def open_checkpoint(options: BackendOptions, *, reads: bool = False) -> tuple[Path, Any, Prompting]:
    """Open the base that `pretrained` names, without loading its weights.

    Args:
        options: The options, with the model arguments.
        reads: Whether the model only reads texts, like a classifier, so that they end as an encoder's input does.

    Returns:
        Its directory, its configuration, and the `Prompting` that turns prompts into tokens.

    Raises:
        UserError: If it isn't found, or transformers can't read its configuration, tokenizer or chat template.
    """
    from transformers import AutoConfig

    args = options.model_args
    trust = bool(args.get("trust_remote_code"))
    folder = find_checkpoint(str(args["pretrained"]))
    gguf = gguf_options(folder, args)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=trust, **gguf)
    except Exception as error:  # transformers raises whatever is in the file
        raise UserError(
            f"'{args['pretrained']}' is not a model that transformers can load: {first_line(error)}"
        ) from None
    if not reads and is_encoder(config):
        raise UserError(
            f"'{args['pretrained']}' ({config.model_type}) is an encoder, which can't generate text: evaluate it as a "
            "classifier, with adapters that were trained as one"
        )
    seq2seq = reads or bool(config.is_encoder_decoder)
    named = args.get("tokenizer", BASE)
    where = folder if named == BASE else find_checkpoint(str(named), "tokenizer")
    tokenizer = load_tokenizer(where, seq2seq=seq2seq, trust=trust, **(gguf if named == BASE else {}))
    template = template_of(tokenizer, options, f"'{args['pretrained'] if named == BASE else named}'")
    start = getattr(config, "decoder_start_token_id", None) or 0
    rows = getattr(config.get_text_config(), "vocab_size", None)
    return folder, config, Prompting(tokenizer, template, _max_length(config, tokenizer, args), seq2seq, start, rows)


def check_args(model_args: Mapping[str, Any]) -> None:
    """Raise UserError if a model argument is unknown, missing or invalid; load nothing."""
    for key in model_args:
        if key not in MODEL_ARGS:
            raise UserError(f"--model_args: unknown argument '{key}' for the hf backend{did_you_mean(key, MODEL_ARGS)}")
    if "pretrained" not in model_args:
        raise UserError("--model_args: pretrained is missing; name the base model, as in pretrained=pocket-aligned")
    if model_args.get("dtype", "auto") not in DTYPES:
        raise UserError(f"--model_args: unknown dtype '{model_args['dtype']}': use one of {', '.join(DTYPES)}")
    check_length(model_args, "max_length")


def check_length(model_args: Mapping[str, Any], name: str) -> None:
    """Raise UserError if the argument is given but isn't a positive whole number."""
    longest = model_args.get(name, 1)
    if isinstance(longest, bool) or not isinstance(longest, int) or longest < 1:
        raise UserError(f"--model_args: {name} must be a number of tokens, got {longest!r}")


def check_weights(model: Any, name: str) -> None:
    """Raise UserError if a weight is NaN or infinite: the base's answers would be empty or nonsense."""
    for key, weight in model.state_dict().items():
        # torch can't compare numbers of 8 bits; the logits still show what is wrong with them.
        if weight.is_floating_point() and weight.itemsize > 1 and weight.numel() and weight.device.type != "meta":
            low, high = weight.aminmax()
            if not (low.isfinite() and high.isfinite()):
                raise UserError(f"the base '{name}' is broken: its weight '{key}' contains NaN or infinity")


def _probe_logits(model: Any, prompting: Prompting) -> Any:
    """Return the logits of the base for a fixed prompt; raise UserError if they are NaN or infinite."""
    import torch

    [row], _ = prompting.encode([Prompt("Who are you?")], 1)
    ids = torch.tensor([row.tolist()], device=model.device)
    start = {"decoder_input_ids": ids[:, :1] * 0 + prompting.decoder_start} if prompting.seq2seq else {}
    with torch.inference_mode():
        logits = model(input_ids=ids, **start).logits.float()
    if not logits.isfinite().all():
        raise UserError(
            f"the base gives NaN or infinite logits in {str(model.dtype).removeprefix('torch.')}: use another dtype in "
            "--model_args, or another checkpoint"
        )
    return logits


def loading_args(folder: Path, options: BackendOptions) -> tuple[dict[str, Any], str]:
    """Return the arguments with which transformers loads the base, and the device that it goes to."""
    import torch

    args = options.model_args
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = str(args.get("dtype", "auto"))
    if dtype == "auto" and device == "cpu":
        dtype = "float32"
    passed = {key: args[key] for key in ("trust_remote_code", "attn_implementation", "device_map") if key in args}
    if args.get("load_in_4bit") is True:
        passed.setdefault("device_map", {"": device})  # a model in 4 bits can't be moved
    return {"dtype": dtype, **passed, **weight_options(folder, args, dtype)}, device


def _model(folder: Path, options: BackendOptions, seq2seq: bool) -> Any:
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    passed, device = loading_args(folder, options)
    builder = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
    try:
        model = builder.from_pretrained(folder, **passed)
        return model if "device_map" in passed else model.to(device)
    except UnpicklingError:
        raise UserError(f"the model in '{folder}': {PICKLE_REFUSED}") from None
    except Exception as error:  # transformers raises whatever a configuration leads to
        raise UserError(f"can't load the model in '{folder}' on {device}: {first_line(error)}") from None


def _max_length(config: Any, tokenizer: Any, args: Mapping[str, Any]) -> int:
    """Return the maximum length of prompt and answer together, in tokens."""
    if "max_length" in args:
        return int(args["max_length"])
    text_config = config.get_text_config()
    places = getattr(text_config, "max_position_embeddings", None) or getattr(text_config, "n_positions", None)
    return int(min(places or 4096, tokenizer.model_max_length, 2**31))


def described(model: Any) -> dict[str, Any]:
    """Return what run.json records about a loaded model and the libraries that it runs on."""
    import peft
    import torch
    import transformers

    return {
        "backend": "hf",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "peft": peft.__version__,
        "device": str(model.device),
        "device_name": torch.cuda.get_device_name(model.device) if model.device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "dtype": str(model.dtype).removeprefix("torch."),
    }
