"""Bad adapters among many are named from the headers of their files, or left out, before the base is loaded."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from holdfast import Results
from holdfast.errors import UserError
from holdfast.harness.models.adapter_geometry import inspect_adapter
from tests.harness.fakes import Fake
from tests.harness.loras import pocket, save_lora, save_stranger

WEIGHTS = "adapter_model.safetensors"
Tensors = dict[str, torch.Tensor]
PREFIX = "base_model.model."


def rename(old: str, new: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {key.replace(old, new): each for key, each in tensors.items()}


def without(part: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {key: each for key, each in tensors.items() if part not in key}


BROKEN: dict[str, tuple[Callable[[Tensors], Tensors], str]] = {
    "no_prefix": (rename(PREFIX, ""), "without the prefix 'base_model.model.'"),
    "compiled": (
        rename(PREFIX, f"{PREFIX}_orig_mod."),
        "module '_orig_mod.model.layers.0.*which the base does not have",
    ),
    "no_layer_1": (without("layers.1."), "its weights are incomplete: 'model.layers.1.self_attn.q_proj' has none"),
    "no_b": (without("layers.1.self_attn.q_proj.lora_B"), "needs the matrices A and B"),
    "rank": (
        lambda tensors: {k: each[:2] if "lora_A" in k else each[:, :2] for k, each in tensors.items()},
        "'model.layers.0.self_attn.q_proj' has rank 2, but its adapter_config.json says 4",
    ),
    "nan": (
        lambda tensors: {key: each * (float("nan") if "layers.1" in key else 1) for key, each in tensors.items()},
        "the weights of 'model.layers.1.self_attn.[qv]_proj' contain NaN or infinity",
    ),
    "empty": (lambda tensors: {key: each[:0] for key, each in tensors.items()}, "are empty"),
}
STRANGERS = {
    "wide": ({"hidden_size": 64}, "has 64 inputs and 192 outputs in the adapter, 192 and 192 in the base"),
    "deep": ({"num_hidden_layers": 9}, "module 'model.layers.[5-8].self_attn.[qv]_proj', which the base does not have"),
}


CONFIGURED: dict[str, tuple[dict[str, Any], str]] = {
    "lowercase": ({"peft_type": "lora"}, "no adapters of the type 'lora', .*: write 'LORA'"),
    "unknown": ({"peft_type": "ZZZ"}, "no adapters of the type 'ZZZ'"),
    "untyped": ({"peft_type": None}, "has no peft_type"),
    "replicated": ({"layer_replication": [[0, 5]]}, "replicates layers .layer_replication"),
}
"""Configurations of bad adapters that the headers show."""

TRIED: dict[str, tuple[dict[str, Any], str]] = {
    "rank_0": ({"rank_pattern": {"k_proj": 0}, "target_modules": ["q_proj", "v_proj", "k_proj"]}, "positive integer"),
    "ia3": ({"peft_type": "IA3", "feedforward_modules": []}, "can't load adapter 'ia3'"),
}
"""Configurations of bad adapters that only peft refuses."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One good adapter, `good`, and all the bad ones beside it."""
    folder = tmp_path_factory.mktemp("adapters")
    save_lora(folder / "good", pocket(), scale=0.1)
    for name, (change, _) in BROKEN.items():
        shutil.copytree(folder / "good", folder / name)
        file = folder / name / WEIGHTS
        changed = {key: each.contiguous() for key, each in change(load_file(file)).items()}
        save_file(changed, file, {"format": "pt"})
    for name, (settings, _) in STRANGERS.items():
        save_stranger(folder / name, settings)
    for name, (settings, _) in {**CONFIGURED, **TRIED}.items():
        shutil.copytree(folder / "good", folder / name)
        file = folder / name / "adapter_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | settings))
    shutil.copytree(folder / "good", folder / "pickled")
    torch.save(load_file(folder / "good" / WEIGHTS), folder / "pickled" / "adapter_model.bin")
    (folder / "pickled" / WEIGHTS).unlink()
    return folder


@pytest.mark.parametrize("name", [*BROKEN, *STRANGERS, *CONFIGURED])
def test_a_bad_adapter_is_named_before_the_base_loads(run: Callable[..., Results], folder: Path, name: str) -> None:
    fake, message = Fake(), {**BROKEN, **STRANGERS, **CONFIGURED}[name][1]
    with pytest.raises(UserError, match=message) as caught:
        run(fake, adapters=["base", str(folder / "good"), str(folder / name)])
    assert name in str(caught.value)
    assert str(caught.value).endswith("--skip_bad_adapters goes on with the others")
    assert not fake.engines


def test_all_bad_adapters_are_named_at_once(run: Callable[..., Results], folder: Path) -> None:
    with pytest.raises(UserError, match="2 of 3 adapters can't be used: .*no_b.*rank': 'model"):
        run(Fake(), adapters=[str(folder / name) for name in ("no_b", "good", "rank")])


def test_bad_adapters_are_left_out_on_request(
    run: Callable[..., Results], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from holdfast.harness.results.tables import print_results

    names = ["base", *(str(folder / name) for name in ("wide", "good", "compiled"))]
    with pytest.warns(UserWarning, match="left out: adapter 'wide'"):
        results = run(Fake(), adapters=names, skip_bad_adapters=True)
    assert set(results.leaderboard["adapter"]) == {"base", "good"}
    manifest = json.loads((results.path / "run.json").read_text())
    assert [each["name"] for each in manifest["adapters"]] == ["base", "good"]
    assert [each.split("'")[1] for each in manifest["warnings"] if each.startswith("left out")] == ["wide", "compiled"]
    print_results(results)
    assert "WARNING: left out: adapter 'wide'" in capsys.readouterr().out


@pytest.mark.parametrize("name", [*BROKEN, *STRANGERS, *CONFIGURED, *TRIED, "pickled"])
def test_every_bad_adapter_is_left_out_on_request_by_name(run: Callable[..., Results], folder: Path, name: str) -> None:
    names = ["base", str(folder / "good"), str(folder / name)]
    with pytest.warns(UserWarning, match=f"left out: .*{name}"):
        results = run(Fake(), adapters=names, skip_bad_adapters=True)
    assert set(results.leaderboard["adapter"]) == {"base", "good"}


@pytest.mark.parametrize("name", ["rank", "pickled", "nan", *CONFIGURED])
def test_run_and_inspect_refuse_the_same_adapters(run: Callable[..., Results], folder: Path, name: str) -> None:
    said = []
    for verb in (lambda: run(Fake(), adapters=[str(folder / name)]), lambda: inspect_adapter(folder / name)):
        with pytest.raises(UserError) as caught:
            verb()
        said.append(str(caught.value).partition("': ")[2].partition(";")[0] or str(caught.value).partition("' ")[2])
    assert said[1].startswith(said[0])


def test_adapters_that_fail_only_together_are_left_out(run: Callable[..., Results], tmp_path: Path) -> None:
    save_lora(tmp_path / "embeddings", pocket(), scale=0.1, target_modules=["embed_tokens", "q_proj"])
    save_lora(tmp_path / "whole", pocket(), scale=0.1, modules_to_save=["embed_tokens"])
    save_lora(tmp_path / "tokens", pocket(), scale=0.1, trainable_token_indices=[5, 6])
    for first, second in (("embeddings", "tokens"), ("whole", "tokens"), ("embeddings", "whole")):
        names = ["base", str(tmp_path / first), str(tmp_path / second)]
        with pytest.warns(UserWarning, match=f"left out: .*'{second}'.*in a run of its own"):
            results = run(Fake(), adapters=names, skip_bad_adapters=True, output_path=tmp_path / f"{first}-{second}")
        assert set(results.leaderboard["adapter"]) == {"base", first}


def test_without_a_usable_adapter_there_is_no_run(run: Callable[..., Results], folder: Path) -> None:
    with pytest.raises(UserError, match="rank': 'model.layers.0.self_attn.q_proj' has rank 2"):
        run(Fake(), adapters=[str(folder / "rank")], skip_bad_adapters=True)


def test_a_repaired_adapter_does_not_join_a_finished_run(
    run: Callable[..., Results], folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / "no_b", tmp_path / "later")
    names = ["base", str(tmp_path / "later")]
    with pytest.warns(UserWarning, match="left out: adapter 'later'"):
        run(Fake(), adapters=names, skip_bad_adapters=True)
    shutil.copy(folder / "good" / "adapter_model.safetensors", tmp_path / "later")
    with pytest.raises(UserError, match=r"holds a run with different adapters \(base\)"):
        run(Fake(), adapters=names, skip_bad_adapters=True)


def test_shapes_are_compared_without_heavy_imports(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from holdfast.harness.models.adapter_fit import check_fit\n"
        "from holdfast.harness.models.checkpoints import find_checkpoint\n"
        f"assert check_fit('good', Path({str(folder / 'good')!r}), find_checkpoint('pocket-base'))\n"
        "print(sorted({'torch', 'transformers', 'peft'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
