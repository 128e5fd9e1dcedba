"""Load a sequence classifier with transformers, and its adapters, each with its own head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.backends.engines.hf_adapters import load_adapters
from holdfast.harness.backends.engines.hf_loading import ROUNDING, check_weights, loading_args, open_checkpoint
from holdfast.harness.backends.engines.promptings import Promptings, own_promptings
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.classifiers import check_brought, classes_of, has_head


@dataclass(frozen=True, slots=True)
class LoadedClassifier:
    """A classifier (wrapped by peft if there are adapters), its tokenization, and the classes of each adapter."""

    model: Any
    promptings: Promptings
    peft_names: Mapping[str, str]
    """peft's name for each adapter, by adapter name."""
    classes: Mapping[str, tuple[str, ...]]
    """The names of the classes in the order of the logits, by adapter name."""


def load_classifier(options: BackendOptions, adapters: Sequence[Adapter]) -> LoadedClassifier:
    """Load the base once, and every adapter onto it.

    Raises:
        UserError: If something doesn't fit together, or a weight would be random: neither in the base's files nor in
            an adapter's.
    """
    from transformers import AutoModelForSequenceClassification

    folder, _, prompting = open_checkpoint(options, reads=True)
    name = str(options.model_args["pretrained"])
    classes = classes_of(folder, adapters, options.model_args)
    passed, device = loading_args(folder, options)
    if not has_head(folder):
        passed["num_labels"] = len(next(iter(classes.values())))
    try:
        model, found = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True, **passed)
        model = model if "device_map" in passed else model.to(device)
    except Exception as error:  # transformers raises whatever a configuration leads to
        raise UserError(f"can't load the classifier in '{folder}' on {device}: {first_line(error)}") from None
    for adapter in adapters:
        check_brought(adapter, sorted(found["missing_keys"]), name)
    model.eval()
    model.config.pad_token_id = prompting.tokenizer.pad_token_id  # a decoder classifies at the last token before it
    check_weights(model, name)
    before = _probe(model)

    def check_base(wrapped: Any, adapter: Adapter) -> None:
        wrapped.eval()
        _probe(wrapped)
        with wrapped.disable_adapter():
            if not (_probe(wrapped) - before).abs().max().item() <= ROUNDING:
                raise UserError(
                    f"loading adapter '{adapter.name}' changes the base itself, so all answers would be wrong: "
                    "evaluate it merged into the base (peft's merge_and_unload)"
                )

    model, names = load_adapters(model, adapters, check_base)
    model.eval()
    promptings = Promptings(prompting, own_promptings(prompting, adapters, options))
    return LoadedClassifier(model, promptings, names, classes)


def _probe(model: Any) -> Any:
    """Return the logits for a few tokens."""
    import torch

    ids = torch.arange(5, 9, device=model.device)[None] % model.config.vocab_size
    if model.config.is_encoder_decoder:
        ids[:, -1] = model.config.eos_token_id  # where it classifies
    with torch.inference_mode():
        return model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.float()
