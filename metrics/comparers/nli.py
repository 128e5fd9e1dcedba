"""The comparer `nli`: a sequence classifier trained on natural language inference, loaded with transformers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.language.text import encodable
from holdfast.metrics.comparers.entailment import ByEntailment, Entailment, Pair
from holdfast.metrics.comparers.segment_comparer import comparer
from holdfast.metrics.encoders.transformer_encoder import without_progress_bar
from holdfast.paths import expanded

MAX_TOKENS = 512
TOKENS_AT_ONCE = 4096
"""The approximate number of tokens per batch, padding included."""

_DIGITS = 4
"""Decimals that are kept: further ones may depend on what a pair is batched with."""

_COMPARER = "--comparer"

_ENTAILS = frozenset({"entailment", "entailed", "entails", "supported", "supports", "support"})
_CONTRADICTS = frozenset({"contradiction", "contradicted", "contradicts", "refuted", "refutes", "refute"})


def check_nli(name: str, flag: str = _COMPARER) -> None:
    """Raise UserError if `name` is empty, or a directory without a configuration that has the labels.

    A name on the hub isn't looked up: what is there is known once the model has been downloaded. `flag` is what the
    messages call the setting.
    """
    if not name:
        raise UserError(f"{flag} needs a model: {'nli=' if flag == _COMPARER else ''}NAME_OR_PATH")
    if expanded(name).is_dir():
        _labels(name, _config(name, flag), flag)
    elif name.startswith((".", "/", "~")):
        raise UserError(f"{flag}: there is no directory '{name}' with an NLI model")


@comparer("nli", check_nli)
def nli(name: str) -> ByEntailment:
    """Entailment and contradiction in both directions, by the classifier named in nli=NAME_OR_PATH."""
    check_nli(name)
    return ByEntailment(load_nli(name))


def load_nli(name: str, flag: str = _COMPARER) -> Classifier:
    """Load a classifier of premise and hypothesis.

    Args:
        name: A directory or a hub name. Its labels are read from `id2label`: one means entailment (or supported), and
            one contradiction (or refuted), unless it has only two labels.
        flag: The flag that names it, for error messages.

    Raises:
        UserError: If it can't be loaded, has other labels, or no trained classifier.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    entails, contradicts = _labels(name, _config(name, flag), flag)
    try:
        tokenizer = AutoTokenizer.from_pretrained(_where(name))
        with without_progress_bar():
            model, info = AutoModelForSequenceClassification.from_pretrained(
                _where(name), dtype="float32", output_loading_info=True
            )
    except Exception as error:  # transformers raises whatever is in the files
        raise _unreadable(name, error, flag) from None
    if missing := sorted(info["missing_keys"]):
        raise UserError(f"{flag}: '{name}' has no weights for {missing[0]}: use a checkpoint trained on NLI")
    return Classifier(tokenizer, model.eval(), entails, contradicts)


class Classifier:
    """Answers (premise, hypothesis) pairs in batches of similar length, in float32.

    Args:
        tokenizer: The tokenizer.
        model: The sequence classifier.
        entails: The index of the label that means entailment.
        contradicts: The index of the label that means contradiction, if there is one.
    """

    def __init__(self, tokenizer: Any, model: Any, entails: int, contradicts: int | None) -> None:
        import torch

        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._tokenizer, self._model = tokenizer, model.to(self._device)
        self._entails, self._contradicts = entails, contradicts
        positions = getattr(model.config, "max_position_embeddings", None) or MAX_TOKENS
        self._longest = int(min(MAX_TOKENS, tokenizer.model_max_length, positions))
        self._pads = tokenizer.pad_token_id is not None and model.config.pad_token_id is not None

    def __call__(self, pairs: Sequence[Pair]) -> list[Entailment]:
        import torch

        sides = ([*map(encodable, texts)] for texts in zip(*pairs, strict=True))
        read = self._tokenizer(*sides, truncation=True, max_length=self._longest)
        rows = [{key: read[key][i] for key in read} for i in range(len(pairs))]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
        found: dict[int, Entailment] = {}
        with torch.inference_mode():
            while order:
                longest = len(rows[order[-1]]["input_ids"])
                size = max(1, TOKENS_AT_ONCE // max(1, longest)) if self._pads else 1
                chosen, order = order[-size:], order[:-size]
                batch = [rows[i] for i in chosen]
                padded = self._tokenizer.pad(batch, return_tensors="pt") if self._pads else _alone(batch[0])
                logits = self._model(**{key: value.to(self._device) for key, value in padded.items()}).logits
                shares = logits.double().softmax(-1).cpu().numpy().round(_DIGITS)
                found.update(zip(chosen, map(self._entailment, shares.tolist()), strict=True))
        return [found[i] for i in range(len(pairs))]

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""
        if not texts:
            return []
        read = self._tokenizer([*map(encodable, texts)], add_special_tokens=False, verbose=False)
        return [len(tokens) for tokens in read["input_ids"]]

    def room(self, hypothesis: str) -> int:
        """Return how many tokens a premise of this hypothesis may have, so that nothing of it is cut off."""
        [length] = self.lengths([hypothesis])
        special = int(self._tokenizer.num_special_tokens_to_add(pair=True))
        return max(1, self._longest - special - min(length, self._longest // 2))

    def _entailment(self, shares: Sequence[float]) -> Entailment:
        return Entailment(shares[self._entails], 0.0 if self._contradicts is None else shares[self._contradicts])


def _alone(row: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Return a row as a batch of one, for tokenizers that can't pad."""
    import torch

    return {key: torch.tensor([value]) for key, value in row.items()}


def _labels(name: str, config: Any, flag: str) -> tuple[int, int | None]:
    """Return the indices of entailment and contradiction; of contradiction None if there are two labels without it."""
    labels = {int(index): str(label) for index, label in config.id2label.items()}
    entails = [index for index, label in labels.items() if label.strip().lower() in _ENTAILS]
    contradicts = [index for index, label in labels.items() if label.strip().lower() in _CONTRADICTS]
    if len(entails) != 1 or len(contradicts) > 1 or not (contradicts or len(labels) == 2):
        raise UserError(
            f"{flag}: '{name}' has the labels {', '.join(labels.values())}; an NLI model has entailment and "
            "contradiction, or supported and one other: if yours means these, name them so in id2label of its "
            "config.json"
        )
    return entails[0], contradicts[0] if contradicts else None


def _config(name: str, flag: str) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(_where(name))
    except Exception as error:  # transformers raises whatever is in the files
        raise _unreadable(name, error, flag) from None


def _unreadable(name: str, error: Exception, flag: str) -> UserError:
    return UserError(f"{flag}: the NLI model '{name}' can't be loaded: {first_line(error)}")


def _where(name: str) -> str:
    return str(expanded(name)) if os.path.isdir(expanded(name)) else name
