"""What an adapter is trained on: prompts and the completions that the loss is about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from holdfast.errors import UserError, first_line
from holdfast.tasks.files import read_objects

Tokens = list[int]

ROLES = ("system", "user", "assistant", "tool")
"""Who may speak in chat messages."""


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to learn: the messages before the answer (chat format, the last one is what the user said), and the
    answer; `label` instead of an answer, where sequences are classified."""

    messages: tuple[Mapping[str, str], ...]
    completion: str
    label: int | None = None

    @property
    def prompt(self) -> str:
        """What the user said last: the part that is perturbed."""
        return self.messages[-1]["content"]

    def asked(self, prompt: str) -> Example:
        """The same, with another last user message."""
        *before, last = self.messages
        return Example((*before, {**last, "content": prompt}), self.completion, self.label)


@dataclass(frozen=True, slots=True)
class TooLong:
    """How many examples were longer than the context: those whose prompts lost their beginning, and those left out."""

    cut: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of prompt and completion together, and how many of them are the prompt's."""

    ids: tuple[int, ...]
    prompt: int
    label: int | None = None

    def last(self, longest: int) -> Encoded:
        """The last `longest` tokens: a prompt that is too long loses its beginning."""
        excess = max(0, len(self.ids) - longest)
        return Encoded(self.ids[excess:], max(0, self.prompt - excess), self.label)


def read_examples(source: str) -> list[Example]:
    """The rows of a JSONL, JSON, CSV or parquet file, or of a hub data set (`owner/name`, its train split).

    A row has `prompt` and `completion`, or chat `messages` of which the last, the assistant's, is the completion, or
    `text` (or `prompt`) and an integer `label`. Raises UserError naming the row that has none of these, a completion
    that is empty, and a file that can't be read.
    """
    rows = _rows(source)
    examples = [_example(row, f"{source}, row {number}") for number, row in enumerate(rows, 1)]
    if not examples:
        raise UserError(f"{source} holds no example")
    return examples


def digest_of_examples(examples: Sequence[Example]) -> str:
    """SHA-256 of what was trained on."""
    digest = hashlib.sha256()
    for each in examples:
        digest.update(json.dumps([list(map(dict, each.messages)), each.completion, each.label]).encode())
    return digest.hexdigest()


def encode(example: Example, tokenizer: Any, *, seq2seq: bool = False) -> Encoded:
    """Prompt and completion as token ids: the chat template, if there is one, then the answer and the end token.

    They are tokenized apart, so that the prompt's tokens are those of generation, whatever the answer begins with.
    A seq2seq model's prompt ends with its own end token.
    """
    chat = bool(tokenizer.chat_template)
    if chat:
        text = tokenizer.apply_chat_template(list(example.messages), tokenize=False, add_generation_prompt=True)
    else:
        text = "\n".join(message["content"] for message in example.messages)
    prompt = tokenizer(_valid(text), add_special_tokens=not chat, verbose=False)["input_ids"]
    if example.label is not None:
        return Encoded(tuple(prompt), len(prompt), example.label)
    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    if not seq2seq and not chat and prompt and prompt[-1:] == end:
        prompt = prompt[:-1]  # a tokenizer that closes every text would end the answer before it begins
    answer = tokenizer(_valid(example.completion), add_special_tokens=False, verbose=False)["input_ids"] + end
    return Encoded((*prompt, *answer), len(prompt))


def fitting(
    encoded: Sequence[Encoded], longest: int, too_long: Literal["cut", "drop"]
) -> tuple[list[tuple[int, Encoded]], TooLong]:
    """(number, example) of those that may be trained on at a context of `longest` tokens, and what became of others.

    Those are cut at the beginning of the prompt or dropped; dropped, too, where the answer leaves no room for a prompt.
    Raises UserError where nothing is left.
    """
    kept, cut = [], 0
    for number, each in enumerate(encoded):
        excess = len(each.ids) - longest
        if excess <= 0:
            kept.append((number, each))
            continue
        if too_long == "cut" and excess < each.prompt:
            cut += 1
            kept.append((number, each.last(longest)))
    if not kept:
        raise UserError(f"no example fits into {longest} tokens: raise max_length, or shorten them")
    return kept, TooLong(cut, len(encoded) - len(kept))


def _rows(source: str) -> list[dict[str, Any]]:
    path = Path(source).expanduser()
    if path.suffix == ".json" and (listed := _listed_objects(path)) is not None:
        return listed
    if path.suffix in {".jsonl", ".json"}:
        return [row for _, row in read_objects(path)]
    if path.suffix in {".csv", ".parquet"}:
        import pandas as pd

        if not path.is_file():
            raise UserError(f"no file '{source}'")
        try:
            # As text: pandas would read "NA" as nothing and "007" as 7.
            csv = path.suffix == ".csv"
            frame = pd.read_csv(path, dtype=str, keep_default_na=False) if csv else pd.read_parquet(path)
        except ImportError:
            raise UserError(
                f"can't read '{source}': parquet files need pyarrow: pip install 'holdfast-eval[data]'"
            ) from None
        except (OSError, ValueError) as error:
            raise UserError(f"can't read '{source}': {first_line(error)}") from None
        return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
    if path.exists() or source.count("/") != 1:
        raise UserError(
            f"--data '{source}': use a .jsonl, .json, .csv or .parquet file, or a hub data set as owner/name"
        )
    try:
        from datasets import load_dataset
    except ImportError:
        raise UserError(
            f"--data '{source}': hub data sets need the library datasets: pip install 'holdfast-eval[data]'"
        ) from None
    try:
        return [dict(row) for row in load_dataset(source, split="train")]
    except Exception as error:  # the hub's client raises its own, httpx' and OS errors
        raise UserError(
            f"--data '{source}' can't be loaded from the hub or its cache: {type(error).__name__}"
        ) from None


def _listed_objects(path: Path) -> list[dict[str, Any]] | None:
    """The rows of a file that is one JSON list of objects; None for any other, such as JSON lines."""
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, list) and all(isinstance(row, dict) for row in found) else None


def _example(row: Mapping[str, Any], where: str) -> Example:
    if "label" in row:
        text, label = row.get("text", row.get("prompt")), row["label"]
        if isinstance(label, str) and label.isdecimal():
            label = int(label)
        if not isinstance(text, str) or not isinstance(label, int) or isinstance(label, bool) or label < 0:
            raise UserError(f"{where}: a row with 'label' needs a whole number from 0 on there, and 'text'")
        return Example(({"role": "user", "content": text},), "", label)
    if row.get("messages") is not None:
        messages = list(row["messages"]) if not isinstance(row["messages"], str) else []
        if len(messages) < 2 or not all(map(_is_message, messages)):
            raise UserError(f"{where}: 'messages' needs at least two, each with 'role' and 'content', both texts")
        if unknown := [each["role"] for each in messages if each["role"] not in ROLES]:
            raise UserError(f"{where}: unknown role '{unknown[0]}' in 'messages'; use {', '.join(ROLES)}")
        if messages[-1]["role"] != "assistant":
            raise UserError(f"{where}: the last of 'messages' must be the assistant's: it is what is learned")
        return _with_completion(tuple(messages[:-1]), messages[-1]["content"], where)
    if "prompt" in row and not isinstance(row["prompt"], str):
        raise UserError(f"{where}: 'prompt' is {_said(row['prompt'])}, and no text")
    if "prompt" not in row:
        raise UserError(f"{where}: no 'prompt' and no 'messages'; it has {', '.join(map(str, row)) or 'nothing'}")
    return _with_completion(({"role": "user", "content": row["prompt"]},), row.get("completion"), where)


def _is_message(message: Any) -> bool:
    return isinstance(message, Mapping) and all(isinstance(message.get(name), str) for name in ("role", "content"))


def _with_completion(messages: tuple[Mapping[str, str], ...], completion: Any, where: str) -> Example:
    if completion is not None and not isinstance(completion, str):
        raise UserError(f"{where}: the completion is {_said(completion)}, and no text")
    if not completion or not completion.strip():
        raise UserError(f"{where}: the completion is empty or missing: there would be nothing to learn")
    return Example(messages, completion)


def _said(value: Any) -> str:
    """A value as JSON writes it, in short: null, 42, a list."""
    if isinstance(value, (list, Mapping)):
        return "an object" if isinstance(value, Mapping) else "a list"
    return "null" if value is None else str(value).lower()[:40]


def _valid(text: str) -> str:
    """Tokenizers refuse lone surrogates."""
    return text.encode("utf-8", "replace").decode()
