"""Copies of the pocket model with one thing changed, and the slow, obvious reference for its answers."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import Backend, BackendOptions
from holdfast.harness.models.checkpoints import find_adapters, find_base
from tests.harness.loras import POCKET

ANSWER_LENGTH = 8


def copy_pocket(
    folder: Path, *, template: str | None = None, generation: Mapping[str, Any] | None = None, ends: bool = False
) -> Path:
    """Copy the pocket model, with another chat template, with more in its generation_config, or with a tokenizer that
    appends the end token."""
    shutil.copytree(POCKET, folder)
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    if generation:
        file = folder / "generation_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | generation))
    if ends:
        file = folder / "tokenizer.json"
        content = json.loads(file.read_text())
        tokenizer = AutoTokenizer.from_pretrained(POCKET)
        end = tokenizer.eos_token
        content["post_processor"] = {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": end, "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {end: {"id": end, "ids": [tokenizer.eos_token_id], "tokens": [end]}},
        }
        file.write_text(json.dumps(content))
        (folder / "chat_template.jinja").unlink()
    return folder


def connect(base: Path | str, adapters: Sequence[str] = ("base",), size: int | None = 2, **options: Any) -> Backend:
    """Return the hf backend with these adapters; options other than the clock are model arguments."""
    known = {name: options.pop(name) for name in ("clock", "chat_template_kwargs") if name in options}
    found = find_adapters(list(adapters), find_base(str(base)))
    return backends.get("hf").build(
        BackendOptions({"pretrained": str(base), "dtype": "float32", **options}, size, "cpu", **known), found
    )


def greedy(rendered: str, base: Path | str, adapter: str | None = None, *, tokens: int = ANSWER_LENGTH) -> str:
    """Answer one rendered prompt by taking the likeliest token again and again, without transformers' generate."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(base, dtype="float32"), AutoTokenizer.from_pretrained(base)
    model = PeftModel.from_pretrained(model, adapter) if adapter else model
    return continue_greedily(model, tokenizer, tokenizer(rendered, add_special_tokens=False)["input_ids"], tokens)


def continue_greedily(model: Any, tokenizer: Any, prompt: Sequence[int], tokens: int = ANSWER_LENGTH) -> str:
    ids, answer = list(prompt), list[int]()
    for _ in range(tokens):
        with torch.inference_mode():
            best = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        if best == tokenizer.eos_token_id:
            break
        ids, answer = [*ids, best], [*answer, best]
    return str(tokenizer.decode(answer, skip_special_tokens=True)).strip()
