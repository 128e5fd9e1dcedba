"""Convert prompts to token ids and back: chat template, special tokens, truncation; shared by hf and vllm."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.backends.backend import Request
from holdfast.harness.backends.engines.answer_text import Answer, split_answer
from holdfast.harness.backends.engines.reasoning import MARK_TOKENS, opened_reasoning
from holdfast.harness.backends.engines.truncation import removable
from holdfast.language.text import encodable
from holdfast.training.chat_template import ChatTemplate
from holdfast.training.prompt_frame import opening_of

if TYPE_CHECKING:
    import numpy as np

    Tokens = np.ndarray[Any, np.dtype[np.int32]]

_CHUNK = 1024
"""Number of prompts that are tokenized together."""

_OTHER = "x"
"""The content that replaces a prompt's own, to find out which tokens belong to the frame around it."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked: a text, and the part of it that may be cut if it is too long."""

    text: str
    content: str = ""


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
        texts = [*map(encodable, prompts)]
        if self.template is None:
            return texts
        return [self.template.render([{"role": "user", "content": text}]) for text in texts]

    def tokenize(self, rendered: Sequence[str]) -> list[list[int]]:
        """Return the token ids of rendered prompts.

        Special tokens before a prompt are added unless there is a chat template, which has to contain them. An end
        token after it is added only for a seq2seq model: the answer of a causal model continues the prompt.

        Raises:
            UserError: If the tokenizer returns a token that the model doesn't embed, or adds other tokens after a
                causal prompt than end tokens.
        """
        whole = self.seq2seq and self.template is None
        found: list[list[int]] = self.tokenizer(list(rendered), add_special_tokens=whole, verbose=False)["input_ids"]
        if not whole and self.template is None:
            found = [[*opening_of(self.tokenizer), *ids] for ids in found]
        self._check_embedded(found)
        return found

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
        kept = [np.asarray(row or [self.start_token], dtype=np.int32) for row in cut]
        return kept, [len(row) > room for row in ids]

    def encode_requests(self, requests: Sequence[Request]) -> Iterator[tuple[Tokens, bool]]:
        """Yield the token ids of each request's prompt and whether it was truncated, tokenizing many at a time."""
        start = 0
        for i in range(1, len(requests) + 1):
            reserved = _reserved(requests[start])
            if i == len(requests) or _reserved(requests[i]) != reserved or i - start == _CHUNK:
                chunk = [Prompt(request.prompt, request.content) for request in requests[start:i]]
                yield from zip(*self.encode(chunk, reserved), strict=True)
                start = i

    def decode(self, ids: Sequence[int], stop: Sequence[str]) -> tuple[Answer, int]:
        """Return the answer that tokens spell, and how many of them it takes up to and including its stop string."""
        answer = self._spell(ids, stop)
        if not answer.stopped:
            return answer, len(ids)
        return answer, bisect_left(range(len(ids)), 1, key=lambda n: self._spell(ids[:n], stop).stopped)

    def stops(self, asked: Sequence[str]) -> tuple[str, ...]:
        """Return the strings that end an answer: those asked for, and what ends a turn if it is more than a token."""
        turn_end = self.template.turn_end if self.template and self.template.turn_end_token is None else ""
        return (*asked, turn_end) if turn_end else tuple(asked)

    def ends(self, stop: Sequence[str]) -> frozenset[int]:
        """Return the tokens that end an answer: the tokenizer's end token, the token that ends a turn in the chat
        template, and stop strings that are special tokens."""
        found = {self.tokenizer.convert_tokens_to_ids(each) for each in stop if each in self._special}
        turn_end = self.template.turn_end_token if self.template else None
        return frozenset(found | ({self.tokenizer.eos_token_id, turn_end} - {None}))

    def _spell(self, ids: Sequence[int], stop: Sequence[str]) -> Answer:
        if self._special.isdisjoint(MARK_TOKENS) and not any(map(self._has_special, stop)):
            text, hidden = self.tokenizer.decode(ids, skip_special_tokens=True), frozenset[str]()
        else:
            text, hidden = self.tokenizer.decode(ids), self._special
        return split_answer(self._opened + text, stop, hidden=hidden, unopened=self._reasons)

    @cached_property
    def _reasons(self) -> bool:
        """Whether the tokenizer has a token for a mark of reasoning."""
        return not MARK_TOKENS.isdisjoint(self.tokenizer.get_added_vocab())

    @cached_property
    def _opened(self) -> str:
        """The mark of reasoning that the chat template ends with, so that answers begin within it."""
        return opened_reasoning(self.render([_OTHER])[0]) if self.template else ""

    @cached_property
    def _special(self) -> frozenset[str]:
        added = self.tokenizer.added_tokens_decoder.values()
        return frozenset(self.tokenizer.all_special_tokens) | {str(token) for token in added if token.special}

    def _has_special(self, text: str) -> bool:
        return any(token in text for token in self._special)

    def to_remove(self, ids: list[int], prompt: Prompt, excess: int, end: int | None = None) -> slice | None:
        """Return which `excess` tokens of a prompt to remove, or None if there are too few outside its frame.

        They are the content's first, or for a seq2seq model its last; if the content has too few, the whole prompt's.

        Args:
            ids: The prompt's tokens.
            prompt: The prompt.
            excess: Number of tokens to remove.
            end: Only tokens before this one may be removed, if given.
        """
        found = removable(ids, self._frames(prompt), excess, end)
        if found is None:
            return None
        start = found[1] - excess if self.seq2seq else found[0]
        return slice(start, start + excess)

    def _cut(self, ids: list[int], prompt: Prompt, excess: int) -> list[int]:
        if excess <= 0:
            return ids
        found = self.to_remove(ids, prompt, excess)
        if found is None:
            raise UserError(
                f"the frame of a prompt is longer than the model's context of {self.max_length} tokens: shorten it, "
                "lower max_new_tokens with --gen_kwargs, or use a model with a longer context"
            )
        return ids[: found.start] + ids[found.stop :]

    def _frames(self, prompt: Prompt) -> Iterator[list[int]]:
        """Yield the prompt's tokens with another content, then those of another prompt."""
        others = [prompt.text.replace(prompt.content, _OTHER)] if prompt.content else []
        for other in (*others, _OTHER):
            yield self.tokenize(self.render([other]))[0]

    @property
    def start_token(self) -> int:
        """The token that replaces an empty prompt."""
        bos: int | None = self.tokenizer.bos_token_id
        return bos if bos is not None else int(self.tokenizer.pad_token_id)

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
