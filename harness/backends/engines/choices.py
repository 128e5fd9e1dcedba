"""Multiple choice: each choice as a continuation of its prompt, and the likeliest as the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.backends.backend import Generation, Request
from holdfast.harness.backends.engines.prompting import Prompt, Prompting

if TYPE_CHECKING:
    from holdfast.harness.backends.engines.prompting import Tokens

CHOICE = "choice"
"""The `finish` of an answer that was chosen rather than generated."""


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


def encode_choices(prompting: Prompting, request: Request) -> Choices:
    """Encode each of a request's choices after its prompt.

    Prompt and choice are joined with a space, unless the prompt ends in whitespace, each choice begins with it, the
    chat template separates them or the request joins them, and tokenized together. A choice starts at the first token
    where any of the rows departs from the prompt alone. If a row is too long, all rows lose the same tokens of the
    content.

    Raises:
        UserError: If a choice doesn't fit into a causal model's context with the frame of its prompt.
    """
    if prompting.seq2seq:
        ids = prompting.tokenizer(list(request.choices), add_special_tokens=False)["input_ids"]
        return _choices([[prompting.decoder_start, *row] for row in ids], 1)
    [prompt] = prompting.render([request.prompt])
    space = "" if prompting.template else separator(prompt, request)
    context, *wholes = prompting.tokenize([prompt, *(f"{prompt}{space}{choice}" for choice in request.choices)])
    start = common_prefix_length(context, wholes)
    begin = [] if start else [prompting.start_token]
    excess = len(begin) + max(map(len, wholes)) + 1 - prompting.max_length  # engines may need room for one more token
    if excess > 0:
        cut = prompting.to_remove(context, Prompt(request.prompt, request.content), excess, end=start)
        if cut is None:
            raise UserError(
                f"a choice is longer than the model's context of {prompting.max_length} tokens: shorten it, or use a "
                "model with a longer context"
            )
        wholes, start = [row[: cut.start] + row[cut.stop :] for row in wholes], start - excess
    return _choices([begin + row for row in wholes], len(begin) + start, truncated=excess > 0)


def separator(prompt: str, request: Request) -> str:
    """Return what separates a prompt from its choices: a space (as in lm-eval), unless whitespace is there already."""
    if request.joined or not prompt or prompt[-1].isspace():
        return ""
    return "" if all(choice[:1].isspace() for choice in request.choices) else " "


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
    return Generation(request.key, request.choices[best].strip(), tokens[best], CHOICE, truncated, tuple(likelihoods))


def _choices(rows: Sequence[Sequence[int]], start: int, truncated: bool = False) -> Choices:
    import numpy as np

    return Choices(tuple(np.asarray(row, dtype=np.int32) for row in rows), start, truncated)
