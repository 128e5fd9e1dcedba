"""Training examples that a chat template refuses or drops are named by their row."""

import json
from pathlib import Path

import pytest

from holdfast import train
from holdfast.errors import UserError
from tests.harness.checkpoints import copy_pocket

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
