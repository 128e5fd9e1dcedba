"""The vllm backend compared with the hf backend: equal answers, probes, and errors in one line."""

import json
from pathlib import Path

import pytest
from vllm.v1.engine.exceptions import EngineDeadError

from holdfast.errors import UserError, first_line
from holdfast.harness.backends import Request, Settings, backends
from holdfast.harness.backends.backend import Backend, BackendOptions
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import find_adapters, scale_adapters
from tests.harness.loras import BASE, PROMPTS, ask, pocket, save_lora, save_two
from tests.vllm.engines import MODEL_ARGS, connect


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loras")


@pytest.fixture(scope="module")
def adapters(folder: Path) -> list[Adapter]:
    """The base, two adapters (the first also at scales 0 and 2), and one without effect."""
    first, second = save_two(folder)
    idle = save_lora(folder / "idle", pocket(), scale=0.0)
    found = find_adapters(["base", first, second, idle], BASE)
    return [*found, *scale_adapters([found[1]], [0.0, 2.0])]


@pytest.fixture(scope="module")
def engine(adapters: list[Adapter]) -> Backend:
    return connect(adapters)


@pytest.fixture(scope="module")
def reference(adapters: list[Adapter]) -> Backend:
    return backends.get("hf").build(BackendOptions(MODEL_ARGS, 3, "cpu"), adapters)


def test_answers_are_those_of_the_hf_backend(engine: Backend, reference: Backend, adapters: list[Adapter]) -> None:
    names = [adapter.name for adapter in adapters]
    answers = ask(engine, PROMPTS, names)
    assert answers == ask(reference, PROMPTS, names)
    outputs = {name: [answers[name, prompt].output for prompt in PROMPTS] for name in names}
    assert outputs["idle"] == outputs["first@0"] == outputs["base"]
    assert len({tuple(outputs[name]) for name in ("base", "first", "second", "first@2")}) == 4


def test_choices_are_those_of_the_hf_backend(engine: Backend, reference: Backend, adapters: list[Adapter]) -> None:
    choices = ("Paris.", "William Shakespeare.", "Jupiter, of all of them")
    requests = [
        Request(f"{adapter.name} {i}", adapter.name, prompt, Settings(), 0, choices)
        for adapter in adapters
        for i, prompt in enumerate(PROMPTS)
    ]
    found, expected = (
        {answer.key: answer for batch in backend.generate(requests) for answer in batch}
        for backend in (engine, reference)
    )
    for key, answer in expected.items():
        assert found[key].likelihoods == pytest.approx(answer.likelihoods, abs=1e-3)
        assert (found[key].output, found[key].tokens) == (answer.output, answer.tokens)


def test_stop_strings_end_answers_as_in_the_hf_backend(engine: Backend, reference: Backend) -> None:
    free = ask(reference, PROMPTS[:1], ["base"])["base", PROMPTS[0]].output
    mark = next(character for character in reversed(free) if character.isalnum())
    settings = {"stop": (mark,), "max_new_tokens": 40}
    assert ask(engine, PROMPTS, ["base", "first"], **settings) == ask(reference, PROMPTS, ["base", "first"], **settings)


@pytest.mark.parametrize("stop", [("\n", "<|user|>"), ("<|end|>",), (" the", "a<|end|>")])
def test_special_tokens_and_whitespace_are_stops_as_in_the_hf_backend(
    engine: Backend, reference: Backend, stop: tuple[str, ...]
) -> None:
    settings = {"stop": stop, "max_new_tokens": 24}
    assert ask(engine, PROMPTS, ["base", "first"], **settings) == ask(reference, PROMPTS, ["base", "first"], **settings)


def test_a_prompt_that_does_not_fit_is_truncated_and_marked(engine: Backend, reference: Backend) -> None:
    prompts = ["word " * 500, "Who?"]
    answers = ask(engine, prompts, ["base"])
    assert answers == ask(reference, prompts, ["base"])
    assert [answers["base", prompt].truncated for prompt in prompts] == [True, False]
    with pytest.raises(UserError, match="leaves no room for a prompt"):
        ask(engine, ["Who?"], ["base"], max_new_tokens=256)


def test_a_sampled_answer_depends_only_on_its_request(engine: Backend) -> None:
    hot = {"temperature": 1.5, "max_new_tokens": 20}
    together, alone = ask(engine, PROMPTS, ["base"], **hot), ask(engine, PROMPTS[:1], ["base"], **hot)
    assert together["base", PROMPTS[0]] == alone["base", PROMPTS[0]]
    assert ask(engine, PROMPTS, ["base"], **hot, seed=1) != together


def test_any_unicode_is_answered(engine: Backend) -> None:
    nasty = ["\ud800", "👩‍👩‍👧", "\x00", "٣ مرحبا", " "]
    assert len(ask(engine, nasty, ["base"])) == len(nasty)


def test_an_engine_stopped_half_way_can_be_used_again(engine: Backend) -> None:
    requests = [
        Request(f"{i}", "first", f"Who wrote book number {i}?", Settings(max_new_tokens=2 + i % 30)) for i in range(300)
    ]
    batches = engine.generate(requests)
    first = next(iter(batches))
    batches.close()  # type: ignore[attr-defined]
    assert 0 < len(first) < len(requests)
    done = {generation.key for generation in first}
    rest = [generation.key for batch in engine.generate(requests, done) for generation in batch]
    assert sorted([*done, *rest]) == sorted(request.key for request in requests)


def test_an_adapter_without_effect_is_detected(engine: Backend) -> None:
    effects = engine.probe(PROMPTS[:2])
    assert effects == {"first": True, "second": True, "idle": False, "first@0": False, "first@2": True}


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), EngineDeadError()])
def test_a_dying_engine_gives_a_one_line_error(
    engine: Backend, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def dead() -> None:
        raise error

    monkeypatch.setattr(engine._engine, "step", dead)  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=f"vLLM stopped .*{first_line(error)[:20]}.* the same command resumes the run"):
        ask(engine, PROMPTS, ["base"])
    monkeypatch.undo()
    assert len(ask(engine, PROMPTS, ["base"])) == len(PROMPTS)


def test_adapters_with_equal_weights_share_a_slot(adapters: list[Adapter], engine: Backend) -> None:
    described = engine.describe()
    assert described["max_loras"] == 6
    assert described["max_lora_rank"] == 8
    twin = Adapter("twin", adapters[1].path, adapters[1].digest)
    shared = connect([adapters[1], twin], batch_size=7, dtype="auto")
    described = shared.describe()
    assert (described["max_loras"], described["batch_size"], described["dtype"]) == (2, 7, "float32")
    answers = ask(shared, PROMPTS, ["first", "twin"])
    assert [answers["first", p].output for p in PROMPTS] == [answers["twin", p].output for p in PROMPTS]
    assert json.dumps(dict(described))
