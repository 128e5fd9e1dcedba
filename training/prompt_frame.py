"""The special tokens with which a tokenizer opens a prompt that an answer continues."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from holdfast.errors import UserError


@lru_cache(maxsize=16)
def opening_of(tokenizer: Any) -> tuple[int, ...]:
    """Return the special tokens that a tokenizer adds before a text, such as BOS.

    They are read off a text that it can encode, whatever its script. End tokens after the text are left out, because
    the answer of a causal model continues its prompt.

    Args:
        tokenizer: A transformers tokenizer.

    Raises:
        UserError: If it adds other tokens after a text: an answer can't follow on them without a chat template.
    """
    for text, bare in _encoded(tokenizer):
        full = _ids(tokenizer, text, special=True)
        start = next((i for i in range(len(full)) if full[i : i + len(bare)] == bare), None)
        if start is not None:
            _check_only_ends(tokenizer, full[start + len(bare) :])
            return tuple(full[:start])
    added = _ids(tokenizer, "", special=True)
    if added:
        raise UserError(
            f"the tokenizer adds '{tokenizer.decode(added)}' to a text, but it is not clear which of it comes before "
            "the text: put these tokens into a chat template, with chat_template=FILE in --model_args"
        )
    return ()


def _encoded(tokenizer: Any) -> Iterator[tuple[str, list[int]]]:
    """Yield texts with their tokens, if they have any: a letter, then the words of the vocabulary."""
    special = set(tokenizer.all_special_tokens) | tokenizer.get_added_vocab().keys()
    if bare := _ids(tokenizer, "a", special=False):
        yield "a", bare
    for token in sorted(tokenizer.get_vocab()):
        text = "" if token in special else tokenizer.convert_tokens_to_string([token])
        if bare := _ids(tokenizer, text, special=False):
            yield text, bare


def _ids(tokenizer: Any, text: str, *, special: bool) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"]
    return found


def _check_only_ends(tokenizer: Any, after: list[int]) -> None:
    """Raise UserError if any of the tokens that follow a text is more than its end."""
    ends = {tokenizer.eos_token_id, tokenizer.sep_token_id, tokenizer.cls_token_id, tokenizer.pad_token_id}
    if more := [token for token in after if token not in ends]:
        raise UserError(
            f"the tokenizer adds '{tokenizer.decode(after)}' after each prompt, of which "
            f"'{tokenizer.decode(more)}' does not end a text: put it into a chat template, with chat_template=FILE in "
            "--model_args"
        )
