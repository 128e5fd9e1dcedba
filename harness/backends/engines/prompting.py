"""Convert prompts to token ids and back: chat template, special tokens, truncation; shared by hf and vllm."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.backends.backend import Generation, Request
from holdfast.harness.backends.engines.answer_text import THINKING, Answer, split_answer
from holdfast.harness.backends.engines.truncation import removable
from holdfast.training.chat_template import ChatTemplate

if TYPE_CHECKING:
    import numpy as np

    Tokens = np.ndarray[Any, np.dtype[np.int32]]

CHOICE = "choice"
"""The `finish` of an answer that was chosen rather than generated."""

_CHUNK = 1024
"""Number of prompts that are tokenized together."""

_OTHER = "x"
"""The content that replaces a prompt's own, to find out which tokens belong to the frame around it."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked: a text, and the part of it that may be cut if it is too long."""

    text: str
    content: str = ""


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


@dataclass(frozen=True)
class Prompting:
    """How prompts are converted to a model's tokens, and tokens to answers."""

    tokenizer: Any
    template: ChatTemplate | None
    """The chat template, if one is used."""
    max_length: int
    """Maximum length of prompt and answer together, in tokens."""
    seq2seq: bool = False
    decoder_start: int = 0
    """The token that a seq2seq model's answers start with."""
    rows: int | None = None
    """Number of tokens that the model embeds, if known; a tokenizer may have more."""

    def render(self, prompts: Sequence[str]) -> list[str]:
        """Return the prompts in the model's chat template, if it is used.

        Raises:
            UserError: If the template fails, or drops a prompt.
        """
        texts = [text.encode("utf-8", "replace").decode() for text in prompts]  # tokenizers reject lone surrogates
        if self.template is None:
            return texts
        return [self.template.render([{"role": "user", "content": text}]) for text in texts]

    def tokenize(self, rendered: Sequence[str]) -> list[list[int]]:
        """Return the token ids of rendered prompts.

        Special tokens before a prompt are added unless there is a chat template, which has to contain them. An end
        token after it is added only for a seq2seq model: the answer of a causal model continues the prompt.

        Raises:
            UserError: If the tokenizer returns a token that the model doesn't embed.
        """
        whole = self.seq2seq and self.template is None
        found: list[list[int]] = self.tokenizer(list(rendered), add_special_tokens=whole, verbose=False)["input_ids"]
        if not whole and self.template is None:
            found = [[*self.opening, *ids] for ids in found]
        self._check_embedded(found)
        return found

    @cached_property
    def opening(self) -> tuple[int, ...]:
        """The special tokens that the tokenizer adds before a text, such as BOS."""
        bare = self.tokenizer("a", add_special_tokens=False, verbose=False)["input_ids"]
        full = self.tokenizer("a", verbose=False)["input_ids"]
        starts = (i for i in range(len(full)) if full[i : i + len(bare)] == bare)
        return tuple(full[: next(starts, 0)])

    def encode(self, prompts: Sequence[Prompt], max_new_tokens: int) -> tuple[list[Tokens], list[bool]]:
        """Encode prompts in the chat template, with content cut to fit: its beginning, or for a seq2seq model its end.

        Args:
            prompts: The prompts.
            max_new_tokens: Number of tokens to reserve for the answer of a causal model.

        Returns:
            The token ids of each prompt, and whether it was truncated.

        Raises:
            UserError: If `max_new_tokens` leaves no room for a prompt or for the frame around it.
        """
        import numpy as np

        room = self.max_length - (0 if self.seq2seq else max_new_tokens)
        if room < 1:
            raise UserError(
                f"max_new_tokens={max_new_tokens} leaves no room for a prompt in the model's "
                f"{self.max_length} tokens: lower it with --gen_kwargs max_new_tokens=N"
            )
        ids = self.tokenize(self.render([prompt.text for prompt in prompts]))
        cut = [self._cut(row, prompt, len(row) - room) for row, prompt in zip(ids, prompts, strict=True)]
        return [np.asarray(self.or_start(row), dtype=np.int32) for row in cut], [len(row) > room for row in ids]

    def encode_requests(self, requests: Sequence[Request]) -> Iterator[tuple[Tokens, bool]]:
        """Yield the token ids of each request's prompt and whether it was truncated, tokenizing many at a time."""
        start = 0
        for i in range(1, len(requests) + 1):
            reserved = _reserved(requests[start])
            if i == len(requests) or _reserved(requests[i]) != reserved or i - start == _CHUNK:
                chunk = [Prompt(request.prompt, request.content) for request in requests[start:i]]
                yield from zip(*self.encode(chunk, reserved), strict=True)
                start = i

    def encode_choices(self, request: Request) -> Choices:
        """Encode each of the request's choices after its prompt.

        Prompt and choice are joined with a space, unless the prompt ends in whitespace or the chat template separates
        them, and tokenized together. A choice starts at the first token where any of the rows departs from the prompt
        alone. If a row is too long, all rows lose the same tokens of the content.

        Raises:
            UserError: If a choice doesn't fit into a causal model's context with the frame of its prompt.
        """
        import numpy as np

        if self.seq2seq:
            ids = self.tokenizer(list(request.choices), add_special_tokens=False)["input_ids"]
            return Choices(tuple(np.asarray([self.decoder_start, *row], dtype=np.int32) for row in ids), 1)
        [prompt] = self.render([request.prompt])
        space = "" if self.template else separator_after(prompt)
        context, *wholes = self.tokenize([prompt, *(f"{prompt}{space}{choice}" for choice in request.choices)])
        start = common_prefix_length(context, wholes)
        if start == 0:
            wholes, start = [[self._start_token, *whole] for whole in wholes], 1
        over = max(0, max(map(len, wholes)) + 1 - self.max_length)  # engines may need room for one generated token
        if over:
            kept = self._cut(wholes[0][:start], Prompt(request.prompt, request.content), over, "a choice")
            wholes, start = [kept + whole[start:] for whole in wholes], len(kept)
        return Choices(tuple(np.asarray(whole, dtype=np.int32) for whole in wholes), start, over > 0)

    def or_start(self, ids: list[int]) -> list[int]:
        """Return the tokens, or a start token if there are none."""
        return ids or [self._start_token]

    def decode(self, ids: Sequence[int], stop: Sequence[str]) -> tuple[Answer, int]:
        """Return the answer that tokens spell, and how many of them it takes up to and including its stop string."""
        answer = self._spell(ids, stop)
        if not answer.stopped:
            return answer, len(ids)
        return answer, bisect_left(range(len(ids)), 1, key=lambda n: self._spell(ids[:n], stop).stopped)

    def ends(self, stop: Sequence[str]) -> frozenset[int]:
        """Return the tokens that end an answer: the tokenizer's end token, and stop strings that are special tokens."""
        found = {self.tokenizer.convert_tokens_to_ids(each) for each in stop if each in self._special}
        return frozenset(found | ({self.tokenizer.eos_token_id} - {None}))

    @cached_property
    def reasons(self) -> bool:
        """Whether the model may think aloud before it answers, where stop strings don't count."""
        in_template = self.template is not None and self.template.reasons
        return in_template or any(tag in self.tokenizer.get_vocab() for tag in THINKING)

    def _spell(self, ids: Sequence[int], stop: Sequence[str]) -> Answer:
        begun = "<think>" if self.template and self.template.opens_reasoning else ""
        shown = [tag for tag in THINKING if tag in self._special] + [each for each in stop if self._has_special(each)]
        if not shown:
            return split_answer(begun + self.tokenizer.decode(ids, skip_special_tokens=True), stop)
        return split_answer(begun + self.tokenizer.decode(ids), stop, hidden=self._special)

    @cached_property
    def _special(self) -> frozenset[str]:
        added = self.tokenizer.added_tokens_decoder.values()
        return frozenset(self.tokenizer.all_special_tokens) | {str(token) for token in added if token.special}

    def _has_special(self, text: str) -> bool:
        return any(token in text for token in self._special)

    @property
    def _start_token(self) -> int:
        """The token that replaces an empty prompt."""
        bos: int | None = self.tokenizer.bos_token_id
        return bos if bos is not None else int(self.tokenizer.pad_token_id)

    def _cut(self, ids: list[int], prompt: Prompt, excess: int, reason: str = "the frame of a prompt") -> list[int]:
        """Return the tokens without `excess` of the content's, or of the prompt's if the content has fewer."""
        if excess <= 0:
            return ids
        found = removable(ids, self._frames(prompt), excess)
        if found is None:
            raise UserError(
                f"{reason} is longer than the model's context of {self.max_length} tokens: shorten it, lower "
                "max_new_tokens with --gen_kwargs, or use a model with a longer context"
            )
        start = found[1] - excess if self.seq2seq else found[0]
        return ids[:start] + ids[start + excess :]

    def _frames(self, prompt: Prompt) -> Iterator[list[int]]:
        """Yield the prompt's tokens with another content, then those of another prompt."""
        others = [prompt.text.replace(prompt.content, _OTHER)] if prompt.content else []
        for other in (*others, _OTHER):
            yield self.tokenize(self.render([other]))[0]

    def _check_embedded(self, found: Sequence[Sequence[int]]) -> None:
        highest = max((max(ids) for ids in found if ids), default=0)
        if self.rows is not None and highest >= self.rows:
            raise UserError(
                f"a prompt contains the token '{self.tokenizer.convert_ids_to_tokens(highest)}' ({highest}), but the "
                f"model embeds only {self.rows} tokens: use the tokenizer that belongs to the model"
            )


def _reserved(request: Request) -> int:
    """Return the number of tokens to reserve for the answer; with choices, there is none to generate."""
    return 1 if request.choices else request.settings.max_new_tokens


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

    Raises:
        UserError: If a log-likelihood is NaN or infinite.
    """
    if not all(map(math.isfinite, likelihoods)):
        raise UserError(
            f"'{request.adapter}' gives NaN or infinity as the log-likelihood of a choice: use another dtype in "
            "--model_args, or leave it out"
        )
    best = max(range(len(likelihoods)), key=lambda i: likelihoods[i])
    return Generation(request.key, request.choices[best], tokens[best], CHOICE, truncated, tuple(likelihoods))
