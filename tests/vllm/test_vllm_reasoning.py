"""Stop strings and reasoning: as in the hf backend."""

from pathlib import Path

from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.models.checkpoints import find_adapters
from tests.harness.loras import BASE, ask
from tests.vllm.engines import MODEL_ARGS, connect

PROMPTS = ("Summarise: Anna asked Ben about the train to Lyon. It leaves at ten.", "Write a note about trains")


def test_stops_do_not_count_in_the_reasoning_as_in_the_hf_backend(tmp_path: Path) -> None:
    base = find_adapters(["base"], BASE)
    template = tmp_path / "thinking.jinja"
    template.write_text("<|user|>{{ messages[0]['content'] }}<|assistant|><think>")
    args = {**MODEL_ARGS, "chat_template": str(template)}
    hf = backends.get("hf").build(BackendOptions(args, 3, "cpu"), base)
    vllm = connect(base, chat_template=str(template))
    for settings in ({"stop": (" ",), "max_new_tokens": 8}, {"stop": ("e", "<|end|>"), "max_new_tokens": 40}):
        answers = ask(vllm, PROMPTS, ["base"], **settings)
        assert answers == ask(hf, PROMPTS, ["base"], **settings)
        assert any(answer.reasoning for answer in answers.values())
