"""`holdfast train`: from data to a usable adapter, also after an interruption."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from holdfast import evaluate
from holdfast.errors import UserError
from holdfast.harness.actions.training import make_recipe_of, train_adapter
from holdfast.harness.cli import main
from holdfast.training.loop import method_trainer as loop
from holdfast.training.training_card import CARD
from tests.training.tiny_checkpoint import save_tiny_model

ROWS = [{"prompt": f"Where is the red vase number {i}?", "completion": f"In room {i % 3}."} for i in range(12)]
QUICK = {
    "lora": "r=2,alpha=4,targets=q_proj+v_proj",
    "num_train_epochs": 2,
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 1,
    "save_steps": 2,
    "disable_tqdm": True,
    "perturbations": "typos",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "train.jsonl", ROWS)


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def train_and_load(data: Path, out: Path, **settings: Any) -> dict[str, torch.Tensor]:
    recipe = make_recipe_of({**QUICK, **settings}, {"data": str(data), "output_dir": str(out)}, [])
    train_adapter(recipe)
    return load_file(out / "adapter_model.safetensors")


def test_the_command_trains_a_usable_adapter(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "adapter"
    options = ["--num_train_epochs", "1", "--lora", "r=2,alpha=4,targets=q_proj+v_proj", "--disable_tqdm"]
    assert main(["train", "--data", str(data), "--output_dir", str(out), "--noise", "flat_lora", *options]) == 0
    card = json.loads((out / "training_card.json").read_text())
    assert card["examples"] == 12
    assert card["recipe"]["noise"] == "flat_lora"
    assert {"holdfast", "torch", "peft"} <= card["versions"].keys()
    assert all(norm >= 0 for norm in card["norms"].values())
    results = evaluate(
        tasks="factual_qa",
        adapters=f"base,{out}",
        perturbations="typos",
        limit=2,
        encoder="lexical",
        output_path=tmp_path / "run",
    )
    assert results.leaderboard["has_effect"].dropna().all()


@pytest.mark.parametrize("objective", ["none", "augment", "consistency", "rdrop"])
@pytest.mark.parametrize("noise", ["none", "flat_lora", "isotropic", "sam_ab", "sam_w"])
def test_objectives_and_noises_combine_and_have_effects(data: Path, tmp_path: Path, objective: str, noise: str) -> None:
    lora = f"{QUICK['lora']},dropout=0.1"
    plain = train_and_load(data, tmp_path / "plain", max_steps=2, lora=lora)
    found = train_and_load(data, tmp_path / "other", max_steps=2, lora=lora, objective=objective, noise=noise)
    same = all(torch.equal(plain[name], found[name]) for name in plain)
    assert same == (objective == noise == "none")


class Killed(BaseException):
    """Simulates kill -9: nothing catches it."""


class Death(TrainerCallback):
    """Kills the run after a number of steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == self.step:
            raise Killed


@pytest.mark.parametrize(("objective", "noise"), [("augment", "flat_lora"), ("none", "sam_ab")])
def test_a_killed_run_resumes_to_the_same_adapter(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, objective: str, noise: str
) -> None:
    options = {"objective": objective, "noise": noise}
    whole = train_and_load(data, tmp_path / "whole", **options)
    build = loop.MethodTrainer.__init__

    def mortal(self: Any, *args: Any, **kwargs: Any) -> None:
        build(self, *args, **{**kwargs, "callbacks": [Death(3)]})

    with monkeypatch.context() as patched:
        patched.setattr(loop.MethodTrainer, "__init__", mortal)
        with pytest.raises(Killed):
            train_and_load(data, tmp_path / "killed", **options)
    again = train_and_load(data, tmp_path / "killed", **options)
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    in_one, resumed = (json.loads((tmp_path / name / CARD).read_text())["metrics"] for name in ("whole", "killed"))
    assert "train_loss" in in_one
    assert "train_loss" not in resumed
    assert resumed["resumed_at_step"] == 2
    assert resumed["train_loss_since_resumed"] > 0


@pytest.mark.parametrize("noise", ["none", "sam_ab", "sam_w"])
def test_gradients_accumulate_over_micro_batches(data: Path, tmp_path: Path, noise: str) -> None:
    options = {"noise": noise, "max_steps": 3, "per_device_train_batch_size": 2}
    one = train_and_load(data, tmp_path / "one", **options)
    two = train_and_load(data, tmp_path / "two", **{**options, "gradient_accumulation_steps": 2})
    three = train_and_load(data, tmp_path / "three", **{**options, "gradient_accumulation_steps": 4})
    assert not any(torch.equal(one[name], two[name]) for name in one if "lora_B" in name)
    assert not any(torch.equal(two[name], three[name]) for name in one if "lora_B" in name)


def test_training_is_bit_reproducible_and_depends_on_the_seed(data: Path, tmp_path: Path) -> None:
    options = {"noise": "flat_lora", "objective": "augment", "max_steps": 2}
    one, two = (train_and_load(data, tmp_path / name, **options) for name in ("one", "two"))
    other = train_and_load(data, tmp_path / "other", **options, seed=1)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("penalty", ["representation", "cross_entropy"])
@pytest.mark.parametrize("mode", ["teacher", "generate"])
def test_s2r2_trains_and_logs_its_terms(data: Path, tmp_path: Path, mode: str, penalty: str) -> None:
    args = f"mode={mode},penalty={penalty},every=1,warmup=0.0,max_new_tokens=8"
    options = {"objective": "s2r2", "objective_args": args, "logging_steps": 1}
    plain = train_and_load(data, tmp_path / "plain", max_steps=4, save_steps=4)
    found = train_and_load(data, tmp_path / "s2r2", max_steps=4, save_steps=4, **options)
    assert not all(torch.equal(plain[name], found[name]) for name in plain)
    state = json.loads((tmp_path / "s2r2" / "checkpoint-4" / "trainer_state.json").read_text())
    for line in state["log_history"][:4]:
        assert {"task_loss", "l_sem", "l_stab", "generated"} <= line.keys()
        assert ("off_diagonal" in line) == (penalty == "representation")  # an answer is aligned with itself
        assert line["generated"] == (mode == "generate")
        assert line["l_sem"] >= 0


def test_a_seq2seq_model_can_be_trained(data: Path, tmp_path: Path) -> None:
    settings = {"lora": "r=2,alpha=4", "max_steps": 2, "noise": "flat_lora", "objective": "consistency"}
    assert train_and_load(data, tmp_path / "out", model=str(save_tiny_model("t5", tmp_path / "model")), **settings)


def test_full_fine_tuning_saves_a_whole_model(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "full"
    recipe = make_recipe_of({**QUICK, "max_steps": 1, "full": True}, {"data": str(data), "output_dir": str(out)}, [])
    train_adapter(recipe)
    assert (out / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rat": 1}, "unknown setting 'learning_rat', neither .*; did you mean 'learning_rate'"),
        ({"noise": "flat_lorra"}, "unknown noise 'flat_lorra'; did you mean 'flat_lora'"),
        ({"lora": "r=2,targets=nowhere"}, "--lora: "),
        ({"lora": "r=500,init=pissa"}, r"q_proj \(192 x 192\) has no rank 500: lower r"),
        ({"objective": "s2r2", "objective_args": "rhoo=1"}, "rhoo is not a setting of s2r2; did you mean 'rho'"),
        ({"objective": "s2r2", "objective_args": "rho=2"}, "rho must be <= 1, got 2"),
        (
            {"objective": "s2r2", "objective_args": "mode=teecher"},
            "mode must be 'generate' or 'teacher', got 'teecher'",
        ),
        ({"objective": "s2r2", "objective_args": "lambda_sem=high"}, "lambda_sem must be a valid number, got 'high'"),
        (
            {"objective": "consistency", "objective_args": "wieght=9"},
            "wieght is not a setting of consistency; did you mean 'weight'",
        ),
        ({"noise": "flat_lora", "noise_args": "sigma=big"}, "sigma must be a valid number, got 'big'"),
        ({"objective_args": "weight=1"}, "--objective_args: weight given without --objective"),
        ({"max_length": 2}, "no example fits into 2 tokens"),
        ({"full": True, "noise": "flat_lora"}, "perturbs the weights that an adapter changes: remove --full"),
        ({"objective": "rdrop"}, "with dropout, but the model has none: set it with --lora ...,dropout=0.1"),
        ({"objective": "rdrop", "full": True}, "the model has none: set it in the model's configuration"),
        ({"noise": "flat_lora", "noise_args": "sigma=-1"}, "sigma must be >= 0, got -1"),
        ({"learning_rate": "fast"}, "learning_rate must be a number, got 'fast'"),
        ({"report_to": "nowhere"}, "report_to: unknown 'nowhere'"),
        ({"data": "nowhere.jsonl"}, "file 'nowhere.jsonl' does not exist"),
        ({"model": "pretrained=./nowhere"}, "'./nowhere' not found"),
        ({"model": "pretrained=pocket-base,dtyp=float32"}, "no argument 'dtyp'; did you mean 'dtype'"),
        ({"model": "pretrained=pocket-base,dtype=float23"}, "unknown dtype 'float23'"),
        (
            {"objective": "s2r2", "objective_args": "layer=9,penalty=representation,mode=teacher,warmup=0.0"},
            "layer must be a fraction or an index up to 5, got 9",
        ),
    ],
)
def test_a_bad_recipe_raises_a_user_error(data: Path, tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    options = {**QUICK, "data": str(data), "output_dir": str(tmp_path / "out"), **settings}
    with pytest.raises(UserError, match=message):
        train_adapter(make_recipe_of(options, {}, []))


def test_labels_in_some_rows_only_are_refused(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "mixed.jsonl", [{"text": "a", "label": 1}, {"prompt": "a", "completion": "b"}])
    with pytest.raises(UserError, match="some rows have a 'label'"):
        train_and_load(data, tmp_path / "out")


def test_a_folder_of_another_recipe_is_refused(data: Path, tmp_path: Path) -> None:
    train_and_load(data, tmp_path / "out", max_steps=1)
    with pytest.raises(UserError) as caught:
        train_and_load(data, tmp_path / "out", max_steps=2, noise="flat_lora", weight_decay=0.1)
    assert (
        "holds checkpoints of a different recipe (noise was 'none', is now 'flat_lora'; max_steps was 1, is now 2; "
        "weight_decay was not set, is now 0.1): run that recipe"
    ) in str(caught.value)


def test_a_failed_recipe_does_not_block_the_next_one(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the model has no module 'nowhere'"):
        train_and_load(data, tmp_path / "out", lora="r=2,targets=nowhere")
    assert train_and_load(data, tmp_path / "out", max_steps=1)


def test_changed_data_in_the_same_file_is_refused(data: Path, tmp_path: Path) -> None:
    train_and_load(data, tmp_path / "out", max_steps=1)
    write_rows(data, ROWS[:-1])
    with pytest.raises(UserError, match="data_digest was"):
        train_and_load(data, tmp_path / "out", max_steps=1)


def test_a_finished_run_is_not_repeated(data: Path, tmp_path: Path) -> None:
    train_and_load(data, tmp_path / "out", max_steps=1)
    card = (tmp_path / "out" / "training_card.json").read_text()
    with pytest.warns(UserWarning, match="nothing was trained"):
        train_and_load(data, tmp_path / "out", max_steps=1)
    assert (tmp_path / "out" / "training_card.json").read_text() == card


def test_diverged_weights_are_not_saved_as_a_result(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="training diverged: the weights contain NaN or infinity"):
        train_and_load(data, tmp_path / "out", max_steps=1, warmup_steps=0, learning_rate=1e39)
    assert not (tmp_path / "out" / "adapter_model.safetensors").exists()


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_running_out_of_memory_raises_a_user_error(
    error: RuntimeError, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(loop.MethodTrainer, "training_step", full)
    with pytest.raises(UserError, match="out of memory with 4 examples per device: lower --per_device"):
        train_and_load(data, tmp_path / "out")


def test_lora_plus_raises_the_learning_rate_of_b(data: Path, tmp_path: Path) -> None:
    lora = "r=2,alpha=4,targets=q_proj+v_proj"
    once = {"max_steps": 1, "warmup_steps": 0, "learning_rate": 1e-4}
    plain = train_and_load(data, tmp_path / "plain", **once)
    plus = train_and_load(data, tmp_path / "plus", **once, lora=f"{lora},loraplus_lr_ratio=16")
    for name in plain:
        if "lora_B" in name:  # Adam's first step from zero is the learning rate itself
            assert torch.allclose(plus[name], 16 * plain[name], rtol=0.01, atol=1e-6)
        else:
            assert torch.allclose(plus[name], plain[name])


def test_the_card_records_the_distance_moved(data: Path, tmp_path: Path) -> None:
    still = tmp_path / "still"
    train_and_load(data, still, max_steps=1, learning_rate=0.0)
    train_and_load(data, tmp_path / "moved", max_steps=1, warmup_steps=0)
    cards = [json.loads((tmp_path / name / "training_card.json").read_text()) for name in ("still", "moved")]
    assert cards[0]["squared_distance"] == 0.0 < cards[1]["squared_distance"]
    assert {"data_digest", "base_digest"} <= cards[0].keys()


def test_dropped_examples_are_counted(data: Path, tmp_path: Path) -> None:
    rows = [*ROWS, {"prompt": "Where is the vase? " * 60, "completion": "Here."}]
    with pytest.warns(UserWarning, match="1 of 13 examples are longer than 64 tokens; left out: 1$"):
        train_and_load(write_rows(data, rows), tmp_path / "out", max_length=64, too_long="drop", max_steps=1)
    card = json.loads((tmp_path / "out" / "training_card.json").read_text())
    assert (card["examples"], card["longer_than_context"]) == (12, 1)


def test_truncated_and_dropped_examples_are_counted_apart(data: Path, tmp_path: Path) -> None:
    long = "Where is the vase? " * 60
    rows = [*ROWS, {"prompt": long, "completion": "Here."}, {"prompt": "Where?", "completion": long}]
    message = "2 of 14 .*; prompt truncated at the start: 1, left out because the completion leaves no room for the prompt: 1$"
    with pytest.warns(UserWarning, match=message):
        train_and_load(write_rows(data, rows), tmp_path / "out", max_length=64, max_steps=1)
    card = json.loads((tmp_path / "out" / "training_card.json").read_text())
    assert (card["examples"], card["longer_than_context"], card["cut"], card["left_out"]) == (13, 2, 1, 1)


def test_a_nan_loss_stops_training_and_names_the_rows(data: Path, tmp_path: Path) -> None:
    base = save_tiny_model("llama", tmp_path / "base")
    weights = load_file(base / "model.safetensors")
    weights["model.norm.weight"].fill_(float("nan"))
    save_file(weights, base / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"the loss is nan .* rows \d+, .*: lower the learning rate, or check"):
        train_and_load(data, tmp_path / "out", model=str(base))
    assert (tmp_path / "out" / "stopped" / "adapter_model.safetensors").is_file()


def test_weights_saved_on_divergence_are_not_sams_worst_point(data: Path, tmp_path: Path) -> None:
    settings = {"lora": "r=2,alpha=4,targets=q_proj+k_proj", "noise": "sam_ab", "noise_args": {"rho": 1e30}}
    remedy = r"lower the learning rate or the strength of the noise sam_ab \(--noise_args\), or check these rows"
    with pytest.raises(UserError, match=rf"the loss is nan in step 1, on data rows .*: {remedy}"):
        train_and_load(data, tmp_path / "out", **settings)
    saved = load_file(tmp_path / "out" / "stopped" / "adapter_model.safetensors")
    assert not any(tensor.any() for name, tensor in saved.items() if "lora_B" in name)  # as initialised
    assert all(tensor.abs().max() < 10 for name, tensor in saved.items() if "lora_A" in name)


def test_training_arguments_can_be_given_as_flags() -> None:
    from holdfast.harness.actions.training import make_recipe_of

    flags = {"data": "x.jsonl", "output_dir": "y"}
    recipe = make_recipe_of({}, flags, ["--learning_rate", "1e-4", "--bf16", "--num_train_epochs=2"])
    assert recipe.arguments["learning_rate"] == 1e-4
    assert recipe.arguments["bf16"] is True
    assert recipe.arguments["num_train_epochs"] == 2
