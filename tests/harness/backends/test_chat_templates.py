"""What is asked arrives at the model: through every kind of chat template, or the run is refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from holdfast import evaluate
from holdfast.errors import UserError
from holdfast.tasks import Sample, Task
from tests.harness.checkpoints import connect, copy_pocket, greedy
from tests.harness.loras import POCKET, ask, pocket, save_lora
from tests.harness.manifests import change_manifest

PARTS = (
    "{% for m in messages %}<|user|>{% for part in m['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% endif %}{% endfor %}{% endfor %}<|assistant|>"
)
DROPS = "{% for m in messages %}<|user|>Hello.{% endfor %}<|assistant|>"
CUTS = "<|user|>{{ messages[0]['content'][:40] }}<|assistant|>"
CUTS_SHORT = "<|user|>{{ messages[0]['content'][:20] }}<|assistant|>"
RAISES = "{{ raise_exception('conversation roles must alternate') }}"
CLOCK = "<|user|>{{ strftime_now('%d %b %Y') }} {{ messages[0]['content'] }}<|assistant|>"
VARIABLE = "<|user|>{% if short %}Be short. {% endif %}{{ messages[0]['content'] }}<|assistant|>"
QUESTION = "Summarise: Anna asked Ben about the train to Lyon. It leaves at ten."


def test_a_template_of_content_parts_gets_parts(tmp_path: Path) -> None:
    base = copy_pocket(tmp_path / "base", template=PARTS)
    answers = ask(connect(base), [QUESTION, "Who wrote Hamlet?"], ["base"], max_new_tokens=8)
    assert answers["base", QUESTION].output == greedy(f"<|user|>{QUESTION}<|assistant|>", POCKET)
    assert len({answer.output for answer in answers.values()}) == 2


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (DROPS, "drops or changes what the user says"),
        (CUTS_SHORT, "drops or changes what the user says"),
        (RAISES, "roles must alternate"),
    ],
)
def test_a_template_that_drops_every_prompt_or_fails_is_refused(tmp_path: Path, template: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        connect(copy_pocket(tmp_path / "base", template=template))
    assert "chat_template=NAME, none or FILE" in str(raised.value)
    assert "the chat template of" in str(raised.value)


def test_a_template_that_cuts_a_long_prompt_is_refused(tmp_path: Path) -> None:
    backend = connect(copy_pocket(tmp_path / "base", template=CUTS))
    with pytest.raises(UserError, match="drops or changes the user's message 'word word"):
        ask(backend, ["word " * 30], ["base"])


def test_no_template_at_all_can_be_chosen() -> None:
    answers = ask(connect(POCKET, chat_template="none"), [QUESTION], ["base"], max_new_tokens=8)
    assert answers["base", QUESTION].output == greedy(QUESTION, POCKET)


def test_one_of_several_named_templates_or_a_file_is_chosen(tmp_path: Path) -> None:
    base = copy_pocket(tmp_path / "base", template=VARIABLE)
    others = base / "additional_chat_templates"
    others.mkdir()
    (base / "chat_template.jinja").rename(others / "plain.jinja")
    (others / "polite.jinja").write_text("<|user|>Please: {{ messages[0]['content'] }}<|assistant|>")
    with pytest.raises(
        UserError, match="several chat templates: choose one with chat_template=plain, chat_template=polite"
    ):
        connect(base)
    with pytest.raises(UserError, match="'polit' is neither a template of .* nor a file; .* has chat_template=plain"):
        connect(base, chat_template="polit")
    polite = greedy(f"<|user|>Please: {QUESTION}<|assistant|>", POCKET)
    chosen = ask(connect(base, chat_template="polite"), [QUESTION], ["base"], max_new_tokens=8)
    assert chosen["base", QUESTION].output == polite
    by_file = ask(connect(base, chat_template=str(others / "polite.jinja")), [QUESTION], ["base"], max_new_tokens=8)
    assert by_file["base", QUESTION].output == polite


def test_template_variables_are_passed_on(tmp_path: Path) -> None:
    backend = connect(copy_pocket(tmp_path / "base", template=VARIABLE), chat_template_kwargs={"short": True})
    answers = ask(backend, [QUESTION], ["base"], max_new_tokens=8)
    assert answers["base", QUESTION].output == greedy(f"<|user|>Be short. {QUESTION}<|assistant|>", POCKET)


@pytest.mark.parametrize("template", ["auto", "none"])
def test_a_template_variable_without_effect_is_refused(tmp_path: Path, template: str) -> None:
    base = copy_pocket(tmp_path / "base", template=VARIABLE)
    with pytest.raises(UserError, match="--chat_template_kwargs: 'shrot' has no effect, since"):
        connect(base, chat_template=template, chat_template_kwargs={"shrot": True})


def test_words_that_switch_reasoning_off_may_be_taken_out(tmp_path: Path) -> None:
    template = "<|user|>{{ messages[0]['content'].replace('/no_think', '') }}<|assistant|>"
    backend = connect(copy_pocket(tmp_path / "base", template=template))
    answers = ask(backend, [f"{QUESTION} /no_think"], ["base"], max_new_tokens=8)
    assert answers["base", f"{QUESTION} /no_think"].output == greedy(f"<|user|>{QUESTION} <|assistant|>", POCKET)


def test_the_clock_of_a_run_stands_still(tmp_path: Path) -> None:
    base = copy_pocket(tmp_path / "base", template=CLOCK)
    backend = connect(base, clock=datetime(2021, 2, 3, tzinfo=UTC))
    answers = ask(backend, [QUESTION], ["base"], max_new_tokens=8)
    assert answers["base", QUESTION].output == greedy(f"<|user|>03 Feb 2021 {QUESTION}<|assistant|>", POCKET)
    assert backend.describe()["chat_template_clock"] == "2021-02-03T00:00:00+00:00"


def test_a_resumed_run_reads_the_time_of_its_start(tmp_path: Path) -> None:
    base = copy_pocket(tmp_path / "base", template=CLOCK)
    task = Task("t", (Sample("1", QUESTION, ("Paris",)),), ("exact_match",), max_new_tokens=8)
    settings: dict[str, Any] = {
        "model_args": {"pretrained": str(base)},
        "adapters": ["base"],
        "perturbations": "typos@0.1",
    }

    def run() -> str:
        evaluate(tasks=[task], output_path=tmp_path / "out", encoder="lexical", min_meaning=0.0, **settings)
        lines = map(json.loads, (tmp_path / "out" / "samples.jsonl").read_text().splitlines())
        return next(str(line["output"]) for line in lines if line["perturbation"] == "clean")

    run()
    manifest = tmp_path / "out" / "run.json"
    change_manifest(tmp_path / "out", started="2020-01-01T00:00:00+00:00", status="running")
    (tmp_path / "out" / "samples.jsonl").write_text("")
    resumed = run()
    assert '"chat_template_clock": "2020-01-01T00:00:00+00:00"' in manifest.read_text()
    assert resumed == greedy(f"<|user|>01 Jan 2020 {QUESTION}<|assistant|>", POCKET)


def test_a_prompt_template_that_hides_the_perturbation_is_refused(tmp_path: Path) -> None:
    samples = tuple(Sample(str(i), f"Question number {i}, which is long enough?", ("x",)) for i in range(3))
    task = Task("t", samples, ("exact_match",), prompt="{{ content[:3] }}")
    with pytest.raises(UserError, match="the prompt of task 't' is the same for different contents"):
        evaluate(
            tasks=[task], perturbations="typos@0.3", adapters="base", output_path=tmp_path / "out", encoder="lexical"
        )


@pytest.mark.parametrize("named", ["tokenizer", "chat_template"])
def test_a_run_is_not_resumed_with_another_tokenizer_or_template(tmp_path: Path, named: str) -> None:
    other = copy_pocket(tmp_path / "other")
    file = other / "chat_template.jinja"
    args = {"pretrained": str(POCKET), named: str(other if named == "tokenizer" else file)}
    task = Task("t", (Sample("1", QUESTION, ("Paris",)),), ("exact_match",))

    def run() -> None:
        evaluate(
            tasks=[task], model_args=args, adapters="base", perturbations="typos", encoder="lexical",
            output_path=tmp_path / "out",
        )  # fmt: skip

    run()
    file.write_text(VARIABLE)
    with pytest.raises(UserError, match="holds a run with a different tokenizer or chat template"):
        run()


@pytest.mark.parametrize(
    "template",
    [
        "<|user|>{{ ['Please', 'Kindly'] | random }}: {{ messages[0]['content'] }}<|assistant|>",
        "<|user|>{{ messages[0]['content'] }} {{ range(10000) | random }}<|assistant|>",
        "<|user|>{{ messages[0]['content'] }} {{ lipsum(1) }}<|assistant|>",
    ],
)
def test_a_template_that_draws_lots_is_refused(tmp_path: Path, template: str) -> None:
    with pytest.raises(UserError, match="renders the same message differently each time: choose another"):
        connect(copy_pocket(tmp_path / "base", template=template))


@pytest.mark.parametrize("template", ["", " \n"])
def test_an_empty_template_is_not_taken_for_none(tmp_path: Path, template: str) -> None:
    with pytest.raises(UserError, match="the chat template of '.*' is empty: choose another"):
        connect(copy_pocket(tmp_path / "base", template=template))
    (tmp_path / "own.jinja").write_text(template)
    with pytest.raises(UserError, match="chat template '.*own.jinja' is empty"):
        connect(POCKET, chat_template=str(tmp_path / "own.jinja"))
    adapter = save_lora(tmp_path / "adapter", pocket(), scale=0.3)
    (tmp_path / "adapter" / "chat_template.jinja").write_text(template)
    with pytest.raises(UserError, match="chat template of adapter 'adapter' is empty"):
        connect(POCKET, [adapter])
