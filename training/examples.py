"""Training examples: reading them from files, tokenizing them and fitting them to the model's context."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from holdfast.errors import UserError
from holdfast.language.text import encodable
from holdfast.paths import expanded
from holdfast.tasks.data_files.data_rows import FORMATS, TEXT_AT_LABEL, DataRows, data_rows
from holdfast.tasks.data_files.data_sets import is_data_set
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.training.chat_template import ChatTemplate, find_template
from holdfast.training.prompt_frame import opening_of

Tokens = list[int]

_LONGEST_LABEL = 10
"""Digits of the longest label; longer numbers are no numbers of classes."""

ROLES = ("system", "user", "assistant", "tool")
"""The roles of chat messages."""


@dataclass(frozen=True, slots=True)
class Example:
    """A training example: chat messages, the last of them the prompt, and the completion to learn.

    For classification `label` (the number or the name of a class) replaces the completion, which is empty; `pair` is
    the second text where two are compared.
    """

    messages: tuple[Mapping[str, str], ...]
    completion: str
    label: int | str | None = None
    pair: str = ""

    @property
    def prompt(self) -> str:
        """The content of the last message: the part that is perturbed."""
        return self.messages[-1]["content"]

    def with_prompt(self, prompt: str) -> Example:
        """Return the example with another prompt."""
        *before, last = self.messages
        return replace(self, messages=(*before, {**last, "content": prompt}))


@dataclass(frozen=True, slots=True)
class TooLong:
    """The number of examples longer than the context: those with truncated prompts, and those left out."""

    cut: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Encoded:
    """The token ids of a prompt and its completion; the first `prompt` of them are the prompt's.

    `types` are the token types of a classifier's input, if its tokenizer gives any.
    """

    ids: tuple[int, ...]
    prompt: int
    label: int | None = None
    types: tuple[int, ...] = ()

    def truncate(self, longest: int) -> Encoded:
        """Return `longest` tokens: a prompt loses its start, and a classifier's text its end but for the last token."""
        excess = max(0, len(self.ids) - longest)
        if self.label is None or not excess:
            return Encoded(self.ids[excess:], max(0, self.prompt - excess), self.label, self.types)
        ids, types = ((*part[: longest - 1], *part[-1:]) for part in (self.ids, self.types))
        return Encoded(ids, longest, self.label, types)


def read_examples(source: str) -> list[Example]:
    """Read training examples.

    A row has `prompt` and `completion`, or chat `messages` whose last one, the assistant's, is the completion, or
    `text` (or `prompt`), optionally `text_pair`, and a `label`: the name of a class, or its number.

    Args:
        source: A JSONL, JSON, CSV, TSV or parquet file, a .txt file with `text@label` in each line, a hub data set
            (`owner/name`; its train split is used), or a folder that `save_to_disk` wrote.

    Returns:
        At least one example, in the order of the rows.

    Raises:
        UserError: If the source can't be read or has no rows, or a row is invalid; the message names the row.
    """
    rows = _rows(source)
    examples = [_example(_checked(row), f"{source}, {rows.unit} {number}") for number, row in rows.rows]
    if not examples:
        raise UserError(f"{source} contains no examples")
    return examples


def is_hub_name(source: str) -> bool:
    """Return whether a source has the form of a hub data set's name, owner/name."""
    return source.count("/") == 1 and not source.startswith((".", "/", "~"))


def digest_of_examples(examples: Sequence[Example]) -> str:
    """Return the SHA-256 of the examples' content, in hex."""
    digest = hashlib.sha256()
    for each in examples:
        pair = [each.pair] if each.pair else []
        digest.update(json.dumps([list(map(dict, each.messages)), each.completion, each.label, *pair]).encode())
    return digest.hexdigest()


def encode(example: Example, tokenizer: Any, *, seq2seq: bool = False, clock: datetime | None = None) -> Encoded:
    """Tokenize an example: the prompt in the chat template, if there is one, then the completion and what ends it.

    That is what the template puts at the end of a turn, or else the tokenizer's end token. Prompt and completion are
    tokenized separately, so that the prompt's tokens are the same as at generation.

    Args:
        example: The example.
        tokenizer: A transformers tokenizer.
        seq2seq: Whether the model is an encoder-decoder, whose prompt keeps its own end token.
        clock: The time that the chat template reads; now, if None.

    Raises:
        UserError: If the chat template refuses or drops a message.
    """
    template = _template_of(tokenizer, clock)
    messages = [{**each, "content": encodable(each["content"])} for each in example.messages]
    text = template.render(messages) if template else "\n".join(each["content"] for each in messages)
    whole = template is None and (seq2seq or example.label is not None)
    if example.label is not None:
        asked = (text, encodable(example.pair)) if example.pair else (text,)
        read = tokenizer(*asked, add_special_tokens=whole, verbose=False)
        types = tuple(read.get("token_type_ids", ()))
        return Encoded(tuple(read["input_ids"]), len(read["input_ids"]), int(example.label), types)
    prompt = tokenizer(text, add_special_tokens=whole, verbose=False)["input_ids"]
    if not whole and template is None:
        prompt = [*opening_of(tokenizer), *prompt]
    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    turn_end = template.turn_end if template else ""
    said = encodable(example.completion) + turn_end
    answer = tokenizer(said, add_special_tokens=False, verbose=False)["input_ids"]
    return Encoded((*prompt, *answer, *([] if turn_end else end)), len(prompt))


def end_tokens(tokenizer: Any) -> set[int]:
    """Return the tokens with which answers end after training: the end token, and the one that ends a turn."""
    template = _template_of(tokenizer)
    return {tokenizer.eos_token_id, template.turn_end_token if template else None} - {None}


def encode_rows(
    examples: Sequence[Example],
    tokenizer: Any,
    source: str,
    *,
    seq2seq: bool = False,
    clock: datetime | None = None,
) -> list[Encoded]:
    """Tokenize the examples of a source (see `encode`); raise UserError naming the row that can't be rendered."""
    rows = []
    for number, example in enumerate(examples, 1):
        try:
            rows.append(encode(example, tokenizer, seq2seq=seq2seq, clock=clock))
        except UserError as error:
            raise UserError(f"{source}, row {number}: {error}") from None
    return rows


def fit_to_context(
    encoded: Sequence[Encoded], longest: int, too_long: Literal["cut", "drop"]
) -> tuple[list[tuple[int, Encoded]], TooLong]:
    """Truncate or drop the examples that are longer than the context.

    Args:
        encoded: The examples.
        longest: The context length in tokens.
        too_long: `cut` truncates prompts at the start, and drops examples whose completion leaves no room for the
            prompt; `drop` drops all that are too long.

    Returns:
        The remaining examples with their indices in `encoded`, and the numbers of truncated and dropped ones.

    Raises:
        UserError: If no example remains.
    """
    kept, cut = [], 0
    for number, each in enumerate(encoded):
        excess = len(each.ids) - longest
        if excess <= 0:
            kept.append((number, each))
            continue
        if too_long == "cut" and excess < each.prompt:
            cut += 1
            kept.append((number, each.truncate(longest)))
    if not kept:
        raise UserError(f"no example fits into {longest} tokens: raise max_length, or shorten the examples")
    return kept, TooLong(cut, len(encoded) - len(kept))


@lru_cache(maxsize=4)
def _template_of(tokenizer: Any, clock: datetime | None = None) -> ChatTemplate | None:
    return find_template(tokenizer, owner=f"'{tokenizer.name_or_path}'", clock=clock)


def _rows(source: str) -> DataRows:
    path = expanded(source)
    in_hub = not path.exists() and is_hub_name(source)
    if path.suffix not in FORMATS and not (in_hub or is_data_set(str(path))):
        raise UserError(
            f"--data '{source}': use a .jsonl, .json, .csv, .tsv, .parquet or .txt (text@label) file, a hub data set "
            "as owner/name, or a folder that save_to_disk wrote"
        )
    rows = data_rows(path, split="train", lists=False)
    return rows.mapped(_labelled) if path.suffix == TEXT_AT_LABEL else rows


def _labelled(number: int, fields: Fields, where: str) -> Fields:
    """Return a line of `text@label` under the names of training data."""
    return {"text": fields["content"], "label": fields["references"]}


def _checked(row: Fields | UserError) -> Fields:
    """Return a row; raise what is wrong with it."""
    if isinstance(row, UserError):
        raise row
    return row


def _example(row: Mapping[str, Any], where: str) -> Example:
    if "label" in row:
        text, label = row.get("text", row.get("prompt")), row["label"]
        if isinstance(label, str) and label.isdecimal() and len(label) < _LONGEST_LABEL:
            label = int(label)
        pair = row.get("text_pair") or ""
        is_number = isinstance(label, int) and not isinstance(label, bool) and label >= 0
        if not (is_number or (isinstance(label, str) and label.strip())):
            raise UserError(f"{where}: 'label' must be a name or a whole number >= 0, got {_describe(label)}")
        if not isinstance(text, str) or not isinstance(pair, str):
            raise UserError(f"{where}: a 'label' needs a 'text' that is a string (and so must 'text_pair' be)")
        label = label.strip() if isinstance(label, str) else label
        return Example(({"role": "user", "content": text},), "", label, pair)
    if row.get("messages") is not None:
        said = row["messages"]
        messages = list(said) if isinstance(said, Iterable) and not isinstance(said, str) else []
        if len(messages) < 2 or not all(map(_is_message, messages)):
            raise UserError(f"{where}: 'messages' must hold at least two, each with 'role' and 'content' strings")
        if unknown := [each["role"] for each in messages if each["role"] not in ROLES]:
            raise UserError(f"{where}: unknown role '{unknown[0]}' in 'messages'; use {', '.join(ROLES)}")
        if messages[-1]["role"] != "assistant":
            raise UserError(f"{where}: the last of 'messages' must be the assistant's: it is the completion")
        return _with_completion(tuple(messages[:-1]), messages[-1]["content"], where)
    if "completion" not in row and {"chosen", "rejected"} <= row.keys():
        raise UserError(
            f"{where}: 'chosen' and 'rejected' are preferences, which holdfast train can't learn from: give a "
            "'completion', or train with TRL and evaluate the adapter here"
        )
    if "prompt" in row and not isinstance(row["prompt"], str):
        raise UserError(f"{where}: 'prompt' must be a string, got {_describe(row['prompt'])}")
    if "prompt" not in row:
        found = ", ".join(map(str, row)) or "no fields"
        raise UserError(f"{where}: needs 'prompt' and 'completion', 'messages', or 'text' and 'label'; got {found}")
    return _with_completion(({"role": "user", "content": row["prompt"]},), row.get("completion"), where)


def _is_message(message: Any) -> bool:
    return isinstance(message, Mapping) and all(isinstance(message.get(name), str) for name in ("role", "content"))


def _with_completion(messages: tuple[Mapping[str, str], ...], completion: Any, where: str) -> Example:
    if completion is not None and not isinstance(completion, str):
        raise UserError(f"{where}: 'completion' must be a string, got {_describe(completion)}")
    if not completion or not completion.strip():
        raise UserError(f"{where}: the completion is empty or missing: every example needs one")
    return Example(messages, completion)


def _describe(value: Any) -> str:
    """Return a short description of a value in JSON's terms: null, 42, a list."""
    if isinstance(value, (list, Mapping)):
        return "an object" if isinstance(value, Mapping) else "a list"
    return "null" if value is None else str(value).lower()[:40]
