"""Generation with transformers: the settings it gets, logits that are checked, and where answers end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.harness.backends.backend import Settings
from holdfast.harness.backends.engines.prompting import Prompting

_SPECIAL_TOKENS = frozenset({"bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"})
"""What is taken from a checkpoint's generation_config; chat models list the ends of their turns only there."""

_FORCED_START = "forced_bos_token_id"
"""Taken for seq2seq models, whose decoder starts with it: multilingual ones choose the language by it."""

_SAYS_NOTHING = frozenset({"transformers_version", "_from_model_config", "use_cache"})


def take_over(model: Any, tokenizer: Any, *, seq2seq: bool) -> dict[str, Any]:
    """Reduce a model's generation_config to its special tokens, and return the settings that were dropped.

    transformers fills every unset field from the model's own configuration, so that nothing else may be left in it.

    Args:
        model: A transformers model; changed in place.
        tokenizer: Its tokenizer, whose end and padding tokens are added.
        seq2seq: Whether it is an encoder-decoder.
    """
    from transformers import GenerationConfig

    given = model.generation_config
    kept = _SPECIAL_TOKENS | ({_FORCED_START} if seq2seq else set())
    tokens = {name: getattr(given, name, None) for name in kept}
    listed = tokens["eos_token_id"] if isinstance(tokens["eos_token_id"], list) else [tokens["eos_token_id"]]
    ends = {end for end in (*listed, tokenizer.eos_token_id) if end is not None}
    tokens |= {"eos_token_id": sorted(ends) or None, "pad_token_id": tokenizer.pad_token_id}
    model.generation_config = GenerationConfig(**tokens)
    return ignored(given, kept)


def ignored(given: Any, kept: frozenset[str] = _SPECIAL_TOKENS) -> dict[str, Any]:
    """Return the settings of a generation_config that differ from transformers' defaults and are not kept."""
    return {
        name: value
        for name, value in sorted(given.to_diff_dict().items())
        if name not in kept | _SAYS_NOTHING and value not in (None, False)
    }


def saved_generation_config(folder: Path) -> Any:
    """Return the generation_config that a checkpoint's directory holds, or transformers' defaults."""
    from transformers import GenerationConfig

    try:
        return GenerationConfig.from_pretrained(folder)
    except OSError:
        return GenerationConfig()


def generation_config(own: Any, settings: Settings, ends: Collection[int]) -> Any:
    """Return what transformers' `generate` gets: the task's settings, and the model's special tokens.

    Args:
        own: The model's generation_config, as `take_over` left it.
        settings: The task's settings, overridden by --gen_kwargs.
        ends: Further tokens that end an answer.
    """
    from transformers import GenerationConfig

    tokens: Mapping[str, Any] = {name: getattr(own, name, None) for name in (*_SPECIAL_TOKENS, _FORCED_START)}
    sampled = settings.temperature > 0
    chosen = {"temperature": settings.temperature, "top_p": settings.top_p, "top_k": 0} if sampled else {}
    all_ends = sorted({*(tokens["eos_token_id"] or ()), *ends}) or None
    return GenerationConfig(
        **{**tokens, "eos_token_id": all_ends},
        max_new_tokens=settings.max_new_tokens,
        do_sample=sampled,
        num_beams=1,
        **chosen,
    )


class FiniteLogits:
    """A logits processor that changes nothing, and remembers the rows whose largest logit was NaN or infinite."""

    def __init__(self) -> None:
        self._broken: Any = None

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        broken = ~scores.amax(-1).isfinite()
        self._broken = broken if self._broken is None else self._broken | broken
        return scores

    def rows(self) -> list[int]:
        """Return the indices of these rows; waits for the device."""
        return [] if self._broken is None else self._broken.nonzero().flatten().tolist()


class StopStrings:
    """A stopping criterion: an answer ends with a stop string, but not in its reasoning and not in its prompt.

    transformers' own criterion finds candidates on the device; these are rare, and decoded.

    Args:
        prompting: Decodes answers.
        stop: The stop strings.
        start: The position at which answers begin in each row.
    """

    def __init__(self, prompting: Prompting, stop: Sequence[str], start: int) -> None:
        from transformers import StopStringCriteria

        self._candidates = StopStringCriteria(prompting.tokenizer, list(stop))
        self._prompting = prompting
        self._stop = stop
        self._start = start

    def __call__(self, input_ids: Any, scores: Any, **others: Any) -> Any:
        found = self._candidates(input_ids, scores, **others)
        for row in found.nonzero().flatten().tolist():
            answer, _ = self._prompting.decode(input_ids[row, self._start :].tolist(), self._stop)
            found[row] = answer.stopped
        return found
