"""From prompts to token ids and back, the same for every engine of token ids: chat template, special tokens, cuts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.backends.types import Request, Settings

Tokens = np.ndarray[Any, np.dtype[np.int32]]

_AT_ONCE = 1024
"""Prompts that are tokenized together."""


@dataclass(frozen=True, slots=True)
class Prompting:
    """A model's tokenizer, whether its chat template is used, and how many tokens prompt and answer may have."""

    tokenizer: Any
    chat: bool
    max_length: int
    seq2seq: bool = False

    def rendered(self, prompts: Sequence[str]) -> list[str]:
        """The prompts in the model's chat template, if it has one."""
        texts = [text.encode("utf-8", "replace").decode() for text in prompts]  # tokenizers refuse lone surrogates
        if not self.chat:
            return texts
        return [
            self.tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
            )
            for text in texts
        ]

    def encoded(self, prompts: Sequence[str], settings: Settings) -> tuple[list[Tokens], list[bool]]:
        """Token ids of each prompt in its chat template, and whether its beginning had to be cut to fit."""
        tokenizer = self.tokenizer
        room = self.max_length - (0 if self.seq2seq else settings.max_new_tokens)
        if room < 1:
            raise UserError(
                f"max_new_tokens {settings.max_new_tokens} leaves no room for a prompt: the model holds "
                f"{self.max_length} tokens; lower it with --gen_kwargs max_new_tokens=N"
            )
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.pad_token_id
        ids = tokenizer(self.rendered(prompts), add_special_tokens=not self.chat, verbose=False)["input_ids"]
        side = slice(0, room) if self.seq2seq else slice(-room, None)
        return (
            [np.asarray(row[side] or [start], dtype=np.int32) for row in ids],
            [len(row) > room for row in ids],
        )

    def encoded_requests(self, requests: Sequence[Request]) -> Iterator[tuple[Tokens, bool]]:
        """`encoded` for the prompt of each request, in their order, tokenized stretch by stretch."""
        start = 0
        for i in range(1, len(requests) + 1):
            settings = requests[start].settings
            if i == len(requests) or requests[i].settings != settings or i - start == _AT_ONCE:
                yield from zip(*self.encoded([r.prompt for r in requests[start:i]], settings), strict=True)
                start = i

    def decoded(self, ids: Sequence[int], stop: Sequence[str]) -> tuple[str, bool]:
        """The text of an answer up to the first stop string, and whether there was one."""
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        cuts = [at for at in map(text.find, stop) if at >= 0]
        return text[: min(cuts, default=None)].strip(), bool(cuts)
