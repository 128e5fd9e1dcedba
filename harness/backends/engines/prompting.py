"""From prompts to token ids and back, the same for every engine of token ids: chat template, special tokens, cuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.backends.backend import Generation, Request, Settings

if TYPE_CHECKING:
    import numpy as np

    Tokens = np.ndarray[Any, np.dtype[np.int32]]

CHOICE = "choice"
"""How an answer ended that was chosen, not written."""

_AT_ONCE = 1024
"""Prompts that are tokenized together."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The answers that a request may choose from, as rows of token ids: each from its place `start` on.

    In front of it stands the prompt, the same in every row; of a seq2seq model only what its decoder begins with.
    """

    rows: tuple[Tokens, ...]
    start: int
    truncated: bool = False

    def likeliest(self, request: Request, likelihoods: Sequence[float]) -> Generation:
        return likeliest(request, [len(row) - self.start for row in self.rows], likelihoods, self.truncated)


@dataclass(frozen=True, slots=True)
class Prompting:
    """A model's tokenizer, whether its chat template is used, and how many tokens prompt and answer may have.

    The answers of a `seq2seq` model begin with `decoder_start`.
    """

    tokenizer: Any
    chat: bool
    max_length: int
    seq2seq: bool = False
    decoder_start: int = 0

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
        import numpy as np

        tokenizer = self.tokenizer
        room = self.max_length - (0 if self.seq2seq else settings.max_new_tokens)
        if room < 1:
            raise UserError(
                f"max_new_tokens {settings.max_new_tokens} leaves no room for a prompt: the model holds "
                f"{self.max_length} tokens; lower it with --gen_kwargs max_new_tokens=N"
            )
        ids = tokenizer(self.rendered(prompts), add_special_tokens=not self.chat, verbose=False)["input_ids"]
        side = slice(0, room) if self.seq2seq else slice(-room, None)
        return (
            [np.asarray(self.filled(row[side]), dtype=np.int32) for row in ids],
            [len(row) > room for row in ids],
        )

    def encoded_requests(self, requests: Sequence[Request]) -> Iterator[tuple[Tokens, bool]]:
        """`encoded` for the prompt of each request, in their order, tokenized stretch by stretch."""
        start = 0
        for i in range(1, len(requests) + 1):
            settings = _written(requests[start])
            if i == len(requests) or _written(requests[i]) != settings or i - start == _AT_ONCE:
                yield from zip(*self.encoded([r.prompt for r in requests[start:i]], settings), strict=True)
                start = i

    def choices(self, request: Request) -> Choices:
        """The request's choices after its prompt; a long prompt loses its beginning, in all of them alike.

        A space is put between, unless the prompt ends in one or a chat template stands between. Each is encoded
        together with its prompt, as it would be read; it begins where the first of them departs from the prompt's own
        tokens. Raises UserError for a choice that a causal model can't hold together with a token of the prompt.
        """
        import numpy as np

        if self.seq2seq:
            ids = self.tokenizer(list(request.choices), add_special_tokens=False)["input_ids"]
            return Choices(tuple(np.asarray([self.decoder_start, *row], dtype=np.int32) for row in ids), 1)
        [prompt] = self.rendered([request.prompt])
        space = "" if self.chat else between(prompt)
        texts = [prompt, *(f"{prompt}{space}{choice}" for choice in request.choices)]
        context, *wholes = self.tokenizer(texts, add_special_tokens=not self.chat, verbose=False)["input_ids"]
        start = common_start(context, wholes)
        if start == 0:
            wholes, start = [[self._first, *whole] for whole in wholes], 1
        over = max(0, max(map(len, wholes)) + 1 - self.max_length)  # an engine may want to add a token
        if over >= start:
            raise UserError(f"a choice is longer than the {self.max_length} tokens that the model holds")
        return Choices(tuple(np.asarray(whole[over:], dtype=np.int32) for whole in wholes), start - over, over > 0)

    def filled(self, ids: list[int]) -> list[int]:
        """The tokens, or the one that stands where there is none."""
        return ids or [self._first]

    @property
    def _first(self) -> int:
        """What stands in front where there is no prompt."""
        bos: int | None = self.tokenizer.bos_token_id
        return bos if bos is not None else int(self.tokenizer.pad_token_id)

    def decoded(self, ids: Sequence[int], stop: Sequence[str]) -> tuple[str, bool]:
        """The text of an answer up to the first stop string, and whether there was one."""
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        cuts = [at for at in map(text.find, stop) if at >= 0]
        return text[: min(cuts, default=None)].strip(), bool(cuts)


def _written(request: Request) -> Settings:
    """How the answer is written; one that is chosen needs no room for it."""
    return replace(request.settings, max_new_tokens=1) if request.choices else request.settings


def between(prompt: str) -> str:
    """What separates a prompt from an answer that is to continue it, as lm-eval does it."""
    return "" if not prompt or prompt[-1].isspace() else " "


def common_start(context: Sequence[Any], wholes: Sequence[Sequence[Any]]) -> int:
    """How many tokens the context has in common with all of its continuations; each keeps at least one of its own.

    >>> common_start(["the", " ca"], [["the", " cat"], ["the", " ca", "p"]])
    1
    """
    shared = zip(context, *wholes, strict=False)
    start = next((i for i, tokens in enumerate(shared) if len(set(tokens)) > 1), len(context))
    return min(start, *(len(whole) - 1 for whole in wholes))


def likeliest(
    request: Request, tokens: Sequence[int], likelihoods: Sequence[float], truncated: bool = False
) -> Generation:
    """The answer to a request: its choice of the greatest log-likelihood, the first of equal ones; `tokens` of each."""
    best = max(range(len(likelihoods)), key=lambda i: likelihoods[i])
    return Generation(request.key, request.choices[best], tokens[best], CHOICE, truncated, tuple(likelihoods))
