"""Which tokenizer and chat template each adapter's prompts use: the base's, or the adapter's own if they differ."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import BackendOptions, Request
from holdfast.harness.backends.engines.prompting import Prompting
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.adapter_checks import read_shapes
from holdfast.training.chat_template import ChatTemplate, find_template

if TYPE_CHECKING:
    from holdfast.harness.backends.engines.prompting import Tokens

_EMBEDDING = re.compile(r"\.(?:embed_tokens|wte|word_embeddings|embed_in|shared)(?:\.modules_to_save)?\.weight$")
"""A weight of input embeddings, by the names that transformers gives them."""

_TOKENIZER, _TEMPLATE = "tokenizer_config.json", "chat_template.jinja"


@dataclass(frozen=True, slots=True)
class Promptings:
    """The base's prompting, and that of each adapter which brings its own."""

    base: Prompting
    own: Mapping[str, Prompting]

    def of(self, adapter: str) -> Prompting:
        """Return the prompting of the base or an adapter."""
        return self.own.get(adapter, self.base)

    def encode_requests(self, requests: Sequence[Request]) -> Iterator[tuple[Tokens, bool]]:
        """Yield the token ids of each request's prompt and whether it was truncated, in order."""
        start = 0
        for i in range(1, len(requests) + 1):
            prompting = self.of(requests[start].adapter)
            if i == len(requests) or self.of(requests[i].adapter) is not prompting:
                yield from prompting.encode_requests(requests[start:i])
                start = i

    def describe(self) -> dict[str, Any]:
        """Return what run.json records about prompts."""
        template = self.base.template
        own = {"own_tokenizers": sorted(self.own)} if self.own else {}
        return {
            "chat_template": template is not None,
            "max_length": self.base.max_length,
            **({"chat_template_clock": template.clock.isoformat()} if template else {}),
            **own,
        }


def own_promptings(base: Prompting, adapters: Sequence[Adapter], options: BackendOptions) -> dict[str, Prompting]:
    """Return the prompting of each adapter that brings a tokenizer or chat template different from the base's.

    There are none if `tokenizer` is given; `tokenizer=base` stands for the base's own.

    Raises:
        UserError: If an adapter's tokenizer can't be loaded, or its chat template drops prompts.
    """
    found: dict[str, Prompting] = {}
    for adapter in adapters:
        if adapter.path is None or "tokenizer" in options.model_args:
            continue
        tokenizer = _own_tokenizer(base, adapter.name, adapter.path, bool(options.model_args.get("trust_remote_code")))
        if tokenizer is None:
            continue
        template = template_of(tokenizer, options, f"adapter '{adapter.name}'")
        differs = [
            what
            for what, (mine, theirs) in {
                "tokenizer": (_behaviour(tokenizer), _behaviour(base.tokenizer)),
                "chat template": (template and template.source, base.template and base.template.source),
            }.items()
            if mine != theirs
        ]
        if differs:
            warnings.warn(
                f"adapter '{adapter.name}' brings its own {' and '.join(differs)}, used for its prompts; "
                "tokenizer=base in --model_args uses the base's",
                stacklevel=2,
            )
            found[adapter.name] = replace(
                base, tokenizer=tokenizer, template=template, rows=_rows(adapter.path) or base.rows
            )
    return found


def load_tokenizer(where: Path, *, seq2seq: bool, trust: bool, **options: str) -> Any:
    """Return the tokenizer in a directory, with a padding token; raise UserError if it can't be loaded."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(where, trust_remote_code=trust, **options)
    except Exception as error:  # transformers raises whatever is in the files
        raise UserError(f"can't load a tokenizer from '{where}': {first_line(error)}") from None
    if not seq2seq:
        tokenizer.padding_side = "left"
        tokenizer.truncation_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return tokenizer


def template_of(tokenizer: Any, options: BackendOptions, owner: str) -> ChatTemplate | None:
    """Return the chat template that the options choose, or None; raise UserError if it drops prompts."""
    return find_template(
        tokenizer,
        options.model_args.get("chat_template", "auto"),
        owner=owner,
        clock=options.clock,
        variables=options.chat_template_kwargs,
    )


def _own_tokenizer(base: Prompting, name: str, folder: Path, trust: bool) -> Any:
    """Return the tokenizer that an adapter brings; the base's with another template if it brings only that, or None."""
    if (folder / _TOKENIZER).is_file():
        try:
            return load_tokenizer(folder, seq2seq=base.seq2seq, trust=trust)
        except UserError as error:
            raise UserError(f"adapter '{name}': {error}; tokenizer=base in --model_args uses the base's") from None
    if (folder / _TEMPLATE).is_file():
        tokenizer = load_tokenizer(Path(base.tokenizer.name_or_path), seq2seq=base.seq2seq, trust=trust)
        tokenizer.chat_template = (folder / _TEMPLATE).read_text("utf-8")
        return tokenizer
    return None


def _behaviour(tokenizer: Any) -> Any:
    """Return what decides how a tokenizer cuts a text, and where an answer begins and ends."""
    marks = tokenizer.bos_token_id, tokenizer.eos_token_id
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return marks, tokenizer.get_vocab(), sorted(tokenizer.all_special_tokens)
    parts = json.loads(backend.to_str())
    return marks, {name: value for name, value in parts.items() if name not in ("truncation", "padding", "version")}


def _rows(adapter: Path) -> int | None:
    """Return the number of tokens that an adapter's own embeddings have, if it brings them."""
    rows = [shape[0] for key, shape in read_shapes(adapter).items() if _EMBEDDING.search(key)]
    return max(rows, default=None)
