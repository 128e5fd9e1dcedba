"""Training examples that a chat template refuses or drops are named by their row."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from holdfast import train
from holdfast.errors import UserError
from tests.harness.checkpoints import copy_pocket
from tests.harness.loras import POCKET

REFUSES_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}<|user|>{{ m['content'] }}{% endfor %}<|assistant|>"
)
IGNORES_SYSTEM = "{% for m in messages if m['role'] != 'system' %}<|user|>{{ m['content'] }}{% endfor %}<|assistant|>"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (REFUSES_SYSTEM, r"System role not supported\): leave out the system message"),
        (IGNORES_SYSTEM, "drops or changes"),
    ],
)
def test_a_system_message_that_would_be_lost_is_refused(tmp_path: Path, template: str, message: str) -> None:
    base = copy_pocket(tmp_path / "base", template=template)
    rows = [
        {"prompt": "Hi", "completion": "Hello."},
        {"messages": [{"role": r, "content": f"{r} says this"} for r in ("system", "user", "assistant")]},
    ]
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UserError, match=f"data.jsonl, row 2: the chat template of .*{message}"):
        train(model_args=f"pretrained={base}", data=str(data), output_path=tmp_path / "out", max_steps=1)


def test_a_chosen_template_is_trained_on_and_saved_with_the_adapter(tmp_path: Path) -> None:
    template = "<|user|>Q: {{ messages[0]['content'] }}<|assistant|>"
    (tmp_path / "chat.jinja").write_text(template)
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps({"prompt": "Hi", "completion": "Hello."}) + "\n")
    base = copy_pocket(tmp_path / "base", template=template)
    for name, args in (
        ("chosen", f"pretrained={POCKET},chat_template={tmp_path / 'chat.jinja'}"),
        ("own", f"pretrained={base}"),
    ):
        train(model_args=args, data=str(data), output_path=tmp_path / name, max_steps=1)
    assert (tmp_path / "chosen" / "chat_template.jinja").read_text() == template
    chosen, own = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("chosen", "own"))
    assert all(torch.equal(chosen[name], own[name]) for name in own)


def test_the_models_own_templates_are_not_saved_with_the_adapter(tmp_path: Path) -> None:
    named = [{"name": name, "template": IGNORES_SYSTEM} for name in ("default", "other")]
    base = copy_pocket(tmp_path / "base", template=IGNORES_SYSTEM)
    (base / "chat_template.jinja").unlink(missing_ok=True)
    config = json.loads((base / "tokenizer_config.json").read_text())
    (base / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": named}))
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps({"prompt": "Hi", "completion": "Hello."}) + "\n")
    args = f"pretrained={base},chat_template=auto"
    train(model_args=args, data=str(data), output_path=tmp_path / "out", max_steps=1)
    assert not (tmp_path / "out" / "chat_template.jinja").exists()


def test_a_resumed_training_renders_prompts_at_the_time_of_its_start(tmp_path: Path) -> None:
    base = copy_pocket(
        tmp_path / "base", template="<|user|>{{ strftime_now('%Y') }}: {{ messages[0]['content'] }}<|assistant|>"
    )
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps({"prompt": f"Hi {i}", "completion": "Hello."}) + "\n" for i in range(4)))
    settings = {"model_args": f"pretrained={base}", "data": str(data), "max_steps": 4, "arguments": {"save_steps": 2}}

    def resumed(year: str) -> dict[str, torch.Tensor]:
        out = tmp_path / year
        train(**settings, output_path=out)
        for path in out.iterdir():
            if path.name not in ("recipe.json", "checkpoint-2"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        recipe = json.loads((out / "recipe.json").read_text())
        (out / "recipe.json").write_text(json.dumps(recipe | {"started": f"{year}{recipe['started'][4:]}"}))
        train(**settings, output_path=out)
        return load_file(out / "adapter_model.safetensors")

    now = resumed(str(datetime.now(UTC).year))
    before = resumed("1999")
    assert not all(torch.equal(now[name], before[name]) for name in now)
