"""The hf backend on real checkpoints: equal to transformers with peft, and strict about which adapters fit."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import IA3Config, LoraConfig, PeftModel, get_peft_model
from transformers import AutoTokenizer, T5Config, T5ForConditionalGeneration

from holdfast import evaluate
from holdfast.errors import UserError
from holdfast.harness.actions.explaining import explain
from holdfast.harness.backends import Request, Settings, backends
from holdfast.harness.backends.backend import Backend, BackendOptions
from holdfast.harness.backends.engines import hf_engine as hf
from holdfast.harness.backends.engines.hf_mixed import mixed
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import digest_of, find_adapters, find_base, scale_adapters
from tests.harness.fakes import Fake
from tests.harness.loras import BASE, OTHER_BASES, POCKET, PROMPTS, ask, pocket, save_lora, save_stranger, save_two


@pytest.fixture(scope="module")
def loras(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return save_two(tmp_path_factory.mktemp("loras"))


def connect(adapters: Sequence[Adapter], batch_size: int | None = 3, **model_args: Any) -> Backend:
    options = BackendOptions({"pretrained": str(POCKET), "dtype": "float32", **model_args}, batch_size, "cpu")
    entry = backends.get("hf")
    entry.check(options.model_args)
    return entry.build(options, adapters)


def by_peft(path: str | None, prompts: Sequence[str]) -> Iterator[str]:
    """The slow, obvious reference: one prompt at a time through peft and transformers."""
    model, tokenizer = pocket(), AutoTokenizer.from_pretrained(POCKET)
    if path:
        model = PeftModel.from_pretrained(model, path)
    for prompt in prompts:
        messages = [{"role": "user", "content": prompt}]
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        out = model.generate(**ids, max_new_tokens=12, do_sample=False)
        yield tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True).strip()


def test_answers_are_those_of_peft_one_by_one(loras: list[str]) -> None:
    adapters = find_adapters(["base", *loras], BASE)
    answers = ask(connect(adapters), PROMPTS, ["first", "base", "second"])
    for name, path in (("base", None), ("first", loras[0]), ("second", loras[1])):
        assert [answers[name, prompt].output for prompt in PROMPTS] == list(by_peft(path, PROMPTS))
    assert {answers["base", p].output for p in PROMPTS} != {answers["first", p].output for p in PROMPTS}


def test_the_batch_size_changes_no_answer(loras: list[str]) -> None:
    adapters = find_adapters(["base", loras[0]], BASE)
    one, many = (ask(connect(adapters, size), PROMPTS, ["base", "first"]) for size in (1, None))
    assert {key: g.output for key, g in one.items()} == {key: g.output for key, g in many.items()}


def test_adapters_answer_the_same_in_mixed_batches_as_alone(tmp_path: Path, loras: list[str]) -> None:
    dora = save_lora(tmp_path / "dora", pocket(), scale=0.3, use_dora=True)
    found = find_adapters(["base", *loras, dora], BASE)
    adapters = [*found, *scale_adapters([found[1]], [2.0])]
    names = [adapter.name for adapter in adapters]
    backend = connect(adapters, 64)
    settings = Settings(max_new_tokens=12)
    requests = [Request(f"{name} {i}", name, p, settings) for name in names for i, p in enumerate(PROMPTS)]
    sizes = [len(batch) for batch in backend.generate(requests)]
    assert sorted(sizes) == [len(PROMPTS), len(PROMPTS), 3 * len(PROMPTS)]  # dora and the scaled one stay alone
    together = ask(backend, PROMPTS, names)
    for adapter in adapters:
        alone = ask(connect([adapter], 64), PROMPTS, [adapter.name])
        assert all(together[key].output == answer.output for key, answer in alone.items())
    assert len({tuple(together[name, p].output for p in PROMPTS) for name in names}) == len(names)


def test_adapters_that_cannot_be_mixed_get_their_own_batches(loras: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def refused(model: Any, routes: Sequence[str] | None) -> Iterator[None]:
        if routes:
            raise ValueError("as a router's layer does, which gets all tokens in one row")
        yield

    monkeypatch.setattr(hf, "mixed", refused)
    backend = connect(find_adapters(["base", *loras], BASE), 64)
    requests = [Request(name, name, PROMPTS[0], Settings(max_new_tokens=2)) for name in ("base", "first", "second")]
    assert [len(batch) for batch in backend.generate(requests)] == [1, 1, 1]


def test_a_layer_without_one_entry_per_row_cannot_be_mixed() -> None:
    class Flat(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = torch.nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.gate(x.flatten(0, 1))

    model = get_peft_model(Flat(), LoraConfig(target_modules=["gate"]))
    with mixed(model, ["default", ""]), pytest.raises(ValueError, match="got 6 rows for 2 prompts"):
        model(torch.ones(2, 3, 4))
    assert model(torch.ones(2, 3, 4)).shape == (6, 2)


def test_an_adapter_with_whole_modules_prevents_mixed_batches(tmp_path: Path, loras: list[str]) -> None:
    whole = save_lora(tmp_path / "whole", pocket(), scale=0.3, modules_to_save=["norm"])
    adapters = find_adapters(["base", loras[0], whole], BASE)
    together = ask(connect(adapters, 64), PROMPTS, ["base", "first", "whole"])
    for name in ("base", "first", "whole"):
        alone = ask(connect([each for each in adapters if each.name == name], 64), PROMPTS, [name])
        assert all(together[key].output == answer.output for key, answer in alone.items())


def test_an_adapter_that_was_not_loaded_raises_an_error() -> None:
    with pytest.raises(KeyError, match="stranger"):
        ask(connect(find_adapters(["base"], BASE)), PROMPTS[:1], ["stranger"])


def test_skipping_done_requests_changes_no_other_answer() -> None:
    backend = connect(find_adapters(["base"], BASE), batch_size=2)
    requests = [Request(str(i), "base", p, Settings(max_new_tokens=12)) for i, p in enumerate(PROMPTS)]
    whole = {g.key: g for batch in backend.generate(requests) for g in batch}
    rest = {g.key: g for batch in backend.generate(requests, done={"0", "3"}) for g in batch}
    assert rest == {key: g for key, g in whole.items() if key not in {"0", "3"}}


def test_an_adapter_without_effect_is_detected(tmp_path: Path, loras: list[str]) -> None:
    adapters = find_adapters([save_lora(tmp_path / "idle", pocket(), scale=0.0), loras[0]], BASE)
    probes = connect(adapters).probe(PROMPTS[:2])
    assert probes == {"idle": False, "first": True}


@pytest.mark.parametrize(("change", "message"), OTHER_BASES)
def test_an_adapter_of_a_different_base_is_refused(tmp_path: Path, change: dict[str, int], message: str) -> None:
    with pytest.raises(UserError, match=f"adapter 'stranger' {message}"):
        connect(find_adapters([save_stranger(tmp_path / "stranger", change)], BASE))


def test_an_ia3_adapter_runs_too(tmp_path: Path) -> None:
    config = IA3Config(
        target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"], init_ia3_weights=False
    )
    torch.manual_seed(0)
    get_peft_model(pocket(), config).save_pretrained(tmp_path / "ia3")
    adapters = find_adapters(["base", str(tmp_path / "ia3")], BASE)
    backend = connect(adapters)
    assert backend.probe(PROMPTS[:1])["ia3"]
    assert len(ask(backend, PROMPTS, ["base", "ia3"])) == 2 * len(PROMPTS)


def test_a_seq2seq_checkpoint_runs_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {
        "vocab_size": len(AutoTokenizer.from_pretrained(POCKET)),
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 64,
        "num_layers": 2,
        "num_heads": 4,
    }
    model = T5ForConditionalGeneration(T5Config(**sizes, decoder_start_token_id=0, eos_token_id=1, pad_token_id=0))
    model.save_pretrained(tmp_path / "t5")
    AutoTokenizer.from_pretrained(POCKET).save_pretrained(tmp_path / "t5")
    lora = save_lora(tmp_path / "t5-lora", model, scale=0.5, target_modules=["q", "v"], task_type="SEQ_2_SEQ_LM")
    adapters = find_adapters(["base", lora], find_base(str(tmp_path / "t5")))
    backend = connect(adapters, pretrained=str(tmp_path / "t5"))
    assert backend.probe(PROMPTS[:2])["t5-lora"]
    answers = ask(backend, PROMPTS, ["base", "t5-lora"])
    assert len(answers) == 2 * len(PROMPTS)
    assert all(g.tokens <= 12 for g in answers.values())
    assert backend.embed(PROMPTS).shape == (len(PROMPTS), 32)


def test_an_answer_ends_at_a_stop_string() -> None:
    backend = connect(find_adapters(["base"], BASE))
    free = ask(backend, PROMPTS[:1], ["base"])["base", PROMPTS[0]].output
    mark = next(character for character in reversed(free) if character.isalnum())
    cut = ask(backend, PROMPTS[:1], ["base"], stop=(mark,))["base", PROMPTS[0]]
    assert cut.output == free[: free.index(mark)].strip()
    assert cut.finish == "stop"


def test_a_prompt_that_does_not_fit_is_truncated_and_marked() -> None:
    backend = connect(find_adapters(["base"], BASE), max_length=64)
    answers = ask(backend, ["word " * 500, "Who?"], ["base"])
    assert [g.truncated for g in answers.values()] in ([True, False], [False, True])
    with pytest.raises(UserError, match="leaves no room for a prompt"):
        ask(backend, ["Who?"], ["base"], max_new_tokens=64)


def test_sampling_is_reproducible_for_a_seed() -> None:
    backend = connect(find_adapters(["base"], BASE))
    hot = {"temperature": 1.5, "max_new_tokens": 20}
    first, second = (ask(backend, PROMPTS, ["base"], **hot) for _ in range(2))
    assert first == second
    other = ask(backend, PROMPTS, ["base"], **hot, seed=1)
    assert {k: g.output for k, g in first.items()} != {k: g.output for k, g in other.items()}


def test_any_unicode_is_answered() -> None:
    nasty = ["\ud800", "👩‍👩‍👧", "\x00", "٣ مرحبا", " "]
    assert len(ask(connect(find_adapters(["base"], BASE)), nasty, ["base"])) == len(nasty)


@pytest.mark.parametrize(
    ("model_args", "message"),
    [
        ({"pretraned": "x"}, "unknown argument 'pretraned' for the hf backend; did you mean 'pretrained'"),
        ({"dtype": "float8"}, "unknown dtype 'float8'"),
        ({"pretrained": "no/where"}, "neither a directory nor shipped .* give a local directory"),
        ({"pretrained": "./nowhere"}, "not found: no such directory"),
    ],
)
def test_a_wrong_model_argument_is_named(
    model_args: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=message):
        connect([], **model_args)


def test_broken_adapter_directories_are_named(tmp_path: Path) -> None:
    empty, half, broken = (tmp_path / name for name in ("empty", "half", "broken"))
    for folder in (empty, half, broken):
        folder.mkdir()
    (half / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4, "lora_alpha": 8}')
    (broken / "adapter_config.json").write_text("{")
    for path, message in ((empty, "no adapter_config.json"), (half, "no weights"), (broken, "not valid JSON")):
        with pytest.raises(UserError, match=message):
            find_adapters([str(path)], BASE)


def test_two_adapters_with_the_same_name_are_refused(loras: list[str]) -> None:
    with pytest.raises(UserError, match="two adapters are called 'first': rename one"):
        find_adapters([loras[0], loras[0]], BASE)
    assert [a.name for a in find_adapters([loras[0], f"again={loras[0]}"], BASE)] == ["first", "again"]


def test_a_directory_may_have_an_equals_sign_in_its_name(tmp_path: Path) -> None:
    path = save_lora(tmp_path / "lr=1e-4", pocket(), scale=0.1)
    assert [a.name for a in find_adapters([path], BASE)] == ["lr=1e-4"]


def test_the_digest_depends_on_weights_and_configuration_only(tmp_path: Path) -> None:
    path = Path(save_lora(tmp_path / "lora", pocket(), scale=0.1))
    before = digest_of(path)
    (path / "README.md").write_text("another card")
    (path / "optimizer.pt").write_bytes(b"state")
    config = json.loads((path / "adapter_config.json").read_text())
    (path / "adapter_config.json").write_text(json.dumps(config, indent=7))
    assert digest_of(path) == before
    (path / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 99}))
    assert digest_of(path) != before


def test_the_checkpoint_s_own_decoding_settings_are_ignored(tmp_path: Path) -> None:
    model, tokenizer = pocket(), AutoTokenizer.from_pretrained(POCKET)
    model.generation_config.update(repetition_penalty=9.0, no_repeat_ngram_size=1, min_new_tokens=12, do_sample=True)
    model.generation_config.update(num_beams=3, top_k=1, temperature=0.1)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    plain = ask(connect([]), PROMPTS, ["base"], max_new_tokens=30)
    spoilt = ask(connect([], pretrained=str(tmp_path)), PROMPTS, ["base"], max_new_tokens=30)
    assert spoilt == plain


def test_an_adapter_whose_training_diverged_is_refused(tmp_path: Path) -> None:
    path = save_lora(tmp_path / "diverged", pocket(), scale=1e38)
    with pytest.raises(UserError, match="adapter 'diverged' produces NaN or infinity"):
        connect(find_adapters([path], BASE)).probe(PROMPTS[:1])


def test_tokens_count_the_answer_without_padding() -> None:
    backend = connect([], batch_size=None)
    answers = ask(backend, PROMPTS, ["base"], max_new_tokens=30)
    alone = {key: g for prompt in PROMPTS for key, g in ask(backend, [prompt], ["base"], max_new_tokens=30).items()}
    assert {key: g.tokens for key, g in answers.items()} == {key: g.tokens for key, g in alone.items()}


def test_a_batch_that_does_not_fit_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ask(connect([]), PROMPTS * 2, ["base"])
    backend = connect([], batch_size=10)
    generate, tried = backend._loaded.model.generate, []

    def small(*, input_ids: Any, **options: Any) -> Any:
        tried.append(len(input_ids))
        if len(input_ids) > 2:
            raise torch.OutOfMemoryError("full")
        return generate(input_ids=input_ids, **options)

    monkeypatch.setattr(backend._loaded.model, "generate", small)
    answers = ask(backend, PROMPTS * 2, ["base"])
    assert {key: g.output for key, g in answers.items()} == {key: g.output for key, g in plain.items()}
    assert tried[:3] == [10, 5, 2]
    assert max(tried[3:]) <= 2


def test_a_single_prompt_that_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = connect([])

    def run_out(**options: Any) -> Any:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(backend._loaded.model, "generate", run_out)
    with pytest.raises(UserError, match="out of memory on cpu with a single prompt"):
        ask(backend, PROMPTS, ["base"])


def test_embedding_batches_that_do_not_fit_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = connect([], batch_size=10)
    plain = backend.embed(PROMPTS)
    body = backend._loaded.model.base_model
    forward = body.forward

    def small(*, input_ids: Any, **options: Any) -> Any:
        if len(input_ids) > 2:
            raise torch.OutOfMemoryError("full")
        return forward(input_ids=input_ids, **options)

    monkeypatch.setattr(body, "forward", small)
    assert backend.embed(PROMPTS) == pytest.approx(plain, abs=1e-5)


def test_attention_to_the_prompt_is_measured_for_each_answer(tmp_path: Path) -> None:
    results = evaluate(
        tasks="dialogue_summary",
        adapters="base,pocket-steady",
        perturbations="typos@0.05",
        limit=2,
        encoder="lexical",
        attention=True,
        min_meaning=0,
        output_path=tmp_path / "run",
    )
    shifts = results.breakdown.set_index(["adapter", "perturbation"])["attention_shift"]
    assert (shifts.xs("identity", level="perturbation") == 0).all()
    assert (shifts.xs("typos", level="perturbation") > 0).all()
    assert (shifts.dropna() <= 1).all()


def test_the_evaluated_model_can_be_the_encoder(tmp_path: Path) -> None:
    results = evaluate(
        tasks="factual_qa",
        adapters="base,pocket-steady",
        perturbations="char_deletion@0.1",
        limit=4,
        encoder="model",
        min_meaning=0,
        output_path=tmp_path / "run",
    )
    drift = results.breakdown.set_index("perturbation")["max_drift"]
    assert (drift["identity"] == 0).all()
    assert drift["char_deletion"].between(0, 1).all()
    assert (drift["char_deletion"] > 0).any()
    assert set(results.breakdown["encoder"].dropna()) <= {"model", ""}
    explain(results.path, None, as_json=True)


def test_an_engine_without_hidden_states_cannot_be_the_encoder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't return hidden states"):
        evaluate(tasks="factual_qa", encoder="model", limit=1, backend=Fake(), output_path=tmp_path / "run")


def test_adapters_run_at_several_scales(tmp_path: Path) -> None:
    results = evaluate(
        tasks="factual_qa",
        adapters="base,pocket-narrow",
        adapter_scales="0,0.5,1",
        perturbations="typos@0.05",
        limit=4,
        encoder="lexical",
        min_meaning=0,
        output_path=tmp_path / "run",
    )
    board = results.leaderboard.set_index("adapter")
    assert set(board.index) == {"base", "pocket-narrow@0", "pocket-narrow@0.5", "pocket-narrow@1"}
    assert list(board.loc[["pocket-narrow@0", "pocket-narrow@0.5", "pocket-narrow@1"], "scale"]) == [0, 0.5, 1]
    lines = [json.loads(line) for line in (results.path / "samples.jsonl").read_text().splitlines()]
    answers = {name: [line["output"] for line in lines if line["adapter"] == name] for name in board.index}
    assert answers["pocket-narrow@0"] == answers["base"] != answers["pocket-narrow@1"]
    alone = evaluate(
        tasks="factual_qa",
        adapters="pocket-narrow",
        perturbations="typos@0.05",
        limit=4,
        encoder="lexical",
        min_meaning=0,
        output_path=tmp_path / "alone",
    )
    plain = [json.loads(line)["output"] for line in (alone.path / "samples.jsonl").read_text().splitlines()]
    assert plain == answers["pocket-narrow@1"]
    assert not results.warnings
