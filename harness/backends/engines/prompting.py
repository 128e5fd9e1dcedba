"""Convert prompts to token ids and back: chat template, special tokens, truncation; shared by hf and vllm."""

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
"""The `finish` of an answer that was chosen rather than generated."""

_CHUNK = 1024
"""Number of prompts that are tokenized together."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of a request as rows of token ids: row[:start] is the prompt, row[start:] the choice.

    For a seq2seq model, row[:start] is only the decoder's start token.
    """

    rows: tuple[Tokens, ...]
    start: int
    truncated: bool = False

    def choose(self, request: Request, likelihoods: Sequence[float]) -> Generation:
        """Return the choice with the highest log-likelihood as the answer."""
        return choose_likeliest(request, [len(row) - self.start for row in self.rows], likelihoods, self.truncated)


@dataclass(frozen=True, slots=True)
class Prompting:
    """How prompts are converted to a model's tokens, and tokens to answers."""

    tokenizer: Any
    chat: bool
    """Whether the chat template is used."""
    max_length: int
    """Maximum length of prompt and answer together, in tokens."""
    seq2seq: bool = False
    decoder_start: int = 0
    """The token that a seq2seq model's answers start with."""

    def render(self, prompts: Sequence[str]) -> list[str]:
        """Return the prompts in the model's chat template, if it is used."""
        texts = [text.encode("utf-8", "replace").decode() for text in prompts]  # tokenizers reject lone surrogates
        if not self.chat:
            return texts
        return [
            self.tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
            )
            for text in texts
        ]

    def encode(self, prompts: Sequence[str], settings: Settings) -> tuple[list[Tokens], list[bool]]:
        """Encode prompts in the chat template, truncated to fit.

        Returns:
            The token ids of each prompt, and whether it was truncated: at its beginning, or for a seq2seq model at its
            end.

        Raises:
            UserError: If `max_new_tokens` leaves no room for a prompt.
        """
        import numpy as np

        tokenizer = self.tokenizer
        room = self.max_length - (0 if self.seq2seq else settings.max_new_tokens)
        if room < 1:
            raise UserError(
                f"max_new_tokens={settings.max_new_tokens} leaves no room for a prompt in the model's "
                f"{self.max_length} tokens: lower it with --gen_kwargs max_new_tokens=N"
            )
        ids = tokenizer(self.render(prompts), add_special_tokens=not self.chat, verbose=False)["input_ids"]
        side = slice(0, room) if self.seq2seq else slice(-room, None)
        return (
            [np.asarray(self.or_start(row[side]), dtype=np.int32) for row in ids],
            [len(row) > room for row in ids],
        )

    def encode_requests(self, requests: Sequence[Request]) -> Iterator[tuple[Tokens, bool]]:
        """Yield the token ids of each request's prompt and whether it was truncated, tokenizing many at a time."""
        start = 0
        for i in range(1, len(requests) + 1):
            settings = _encoding_settings(requests[start])
            if i == len(requests) or _encoding_settings(requests[i]) != settings or i - start == _CHUNK:
                yield from zip(*self.encode([r.prompt for r in requests[start:i]], settings), strict=True)
                start = i

    def encode_choices(self, request: Request) -> Choices:
        """Encode each of the request's choices after its prompt.

        Prompt and choice are joined with a space, unless the prompt ends in whitespace or the chat template separates
        them, and tokenized together. A choice starts at the first token where any of the rows departs from the prompt
        alone. If a row is too long, all rows lose the same number of tokens at the beginning.

        Raises:
            UserError: If a choice doesn't fit into a causal model's context with at least one token of the prompt.
        """
        import numpy as np

        if self.seq2seq:
            ids = self.tokenizer(list(request.choices), add_special_tokens=False)["input_ids"]
            return Choices(tuple(np.asarray([self.decoder_start, *row], dtype=np.int32) for row in ids), 1)
        [prompt] = self.render([request.prompt])
        space = "" if self.chat else separator_after(prompt)
        texts = [prompt, *(f"{prompt}{space}{choice}" for choice in request.choices)]
        context, *wholes = self.tokenizer(texts, add_special_tokens=not self.chat, verbose=False)["input_ids"]
        start = common_prefix_length(context, wholes)
        if start == 0:
            wholes, start = [[self._start_token, *whole] for whole in wholes], 1
        over = max(0, max(map(len, wholes)) + 1 - self.max_length)  # engines may need room for one generated token
        if over >= start:
            raise UserError(
                f"a choice is longer than the model's context of {self.max_length} tokens: shorten it, or use a model "
                "with a longer context"
            )
        return Choices(tuple(np.asarray(whole[over:], dtype=np.int32) for whole in wholes), start - over, over > 0)

    def or_start(self, ids: list[int]) -> list[int]:
        """Return the tokens, or a start token if there are none."""
        return ids or [self._start_token]

    @property
    def _start_token(self) -> int:
        """The token that replaces an empty prompt."""
        bos: int | None = self.tokenizer.bos_token_id
        return bos if bos is not None else int(self.tokenizer.pad_token_id)

    def decode(self, ids: Sequence[int], stop: Sequence[str]) -> tuple[str, bool]:
        """Return the text of an answer up to the first stop string, and whether there was one."""
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        cuts = [at for at in map(text.find, stop) if at >= 0]
        return text[: min(cuts, default=None)].strip(), bool(cuts)


def _encoding_settings(request: Request) -> Settings:
    """Return the request's settings; with choices, no room is reserved for an answer."""
    return replace(request.settings, max_new_tokens=1) if request.choices else request.settings


def separator_after(prompt: str) -> str:
    """Return what separates a prompt from its continuation: a space, unless it ends in whitespace (as in lm-eval)."""
    return "" if not prompt or prompt[-1].isspace() else " "


def common_prefix_length(context: Sequence[Any], wholes: Sequence[Sequence[Any]]) -> int:
    """Return how many leading tokens the context shares with all its continuations, leaving each at least one token.

    >>> common_prefix_length(["the", " ca"], [["the", " cat"], ["the", " ca", "p"]])
    1
    """
    shared = zip(context, *wholes, strict=False)
    start = next((i for i, tokens in enumerate(shared) if len(set(tokens)) > 1), len(context))
    return min(start, *(len(whole) - 1 for whole in wholes))


def choose_likeliest(
    request: Request, tokens: Sequence[int], likelihoods: Sequence[float], truncated: bool = False
) -> Generation:
    """Return the choice with the highest log-likelihood (the first, if tied) as the answer to a request.

    Args:
        request: A request with choices.
        tokens: Length of each choice in tokens.
        likelihoods: Log-likelihood of each choice, in nats.
        truncated: Whether the prompt was truncated.
    """
    best = max(range(len(likelihoods)), key=lambda i: likelihoods[i])
    return Generation(request.key, request.choices[best], tokens[best], CHOICE, truncated, tuple(likelihoods))
