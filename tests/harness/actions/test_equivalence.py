"""`holdfast equivalence`: peft, merged weights and vLLM, row by row."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from holdfast.harness.actions.equivalence import Equivalence, equivalence
from holdfast.harness.backends.engines import vllm_loading
from holdfast.harness.cli import main
from holdfast.harness.models.checkpoints import find_checkpoint


@pytest.fixture
def without_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_loading, "find_spec", lambda name: None)


def asked(dtype: str, tasks: tuple[str, ...] = ("factual_qa",), limit: int = 8) -> Equivalence:
    return equivalence("pocket-narrow", dtype=dtype, tasks=tasks, limit=limit, encoder="lexical")


@pytest.mark.usefixtures("without_vllm")
def test_in_float32_merging_changes_no_answer() -> None:
    found = asked("float32")
    merged, vllm = found.ways
    assert (found.base, found.rows) == ("pocket-aligned", 8)
    assert (merged.name, merged.differing, merged.max_drift) == ("merged", 0, 0.0)
    assert vllm.not_run.startswith("the vllm backend needs vLLM")
    assert found.differences == ()


@pytest.mark.usefixtures("without_vllm")
def test_in_bfloat16_merging_changes_answers_and_the_rows_are_shown() -> None:
    found = asked("bfloat16", ("dialogue_summary",), 24)
    merged = found.ways[0]
    rows = [row for row in found.differences if row.way == "merged"]
    assert merged.differing == len(rows) > 0
    assert merged.max_drift == pytest.approx(max(row.max_drift for row in rows), abs=1e-3)
    assert all(row.reference != row.answer for row in rows)


@pytest.mark.usefixtures("without_vllm")
def test_the_command_prints_ways_and_rows(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["equivalence", "--adapter", "pocket-narrow", "--limit", "4", "--encoder", "lexical"]
    assert main(arguments) == 0
    assert "merged   0 of 4 rows differ; mean drift 0.0000" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--adapter", "./none"], "adapter './none' not found"),
        (["--adapter", "pocket-narrow", "--dtype", "float23"], "unknown dtype 'float23'"),
        (
            ["--adapter", "pocket-narrow", "--model", "dtyp=x"],
            "unknown argument 'dtyp' for the hf backend; did you mean 'dtype'?",
        ),
        (["--adapter", "pocket-narrow", "--tasks", "factual"], "unknown task 'factual'"),
        (["--adapter", "pocket-aligned"], "'pocket-aligned' is not a peft adapter"),
    ],
)
def test_mistakes_are_named(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["equivalence", *options]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed")
def test_vllm_gives_the_same_answers_with_ranks_of_several_kinds(tmp_path: Path) -> None:
    """A corrected adapter whose ranks differ between modules: what is written is what vLLM reads."""
    source, adapter = find_checkpoint("pocket-narrow"), tmp_path / "narrow"
    adapter.mkdir()
    tensors, config = load_file(source / "adapter_model.safetensors"), (source / "adapter_config.json").read_text()
    cut = {name: _cut(name, tensor).contiguous() for name, tensor in tensors.items()}
    save_file(cut, adapter / "adapter_model.safetensors")
    patterns = {"rank_pattern": {"q_proj": 3}, "alpha_pattern": {"q_proj": 12}}
    (adapter / "adapter_config.json").write_text(json.dumps(json.loads(config) | patterns))
    subspace, out = tmp_path / "s.safetensors", tmp_path / "out"
    assert main(["subspace", "--base", "pocket-base", "--aligned", "pocket-aligned", "--out", str(subspace)]) == 0
    options = ["--subspace", str(subspace), "--out", str(out), "--rank", "exact", "--strength", "0.2"]
    assert main(["correct", str(adapter), *options]) == 0
    command = ["equivalence", "--adapter", str(out), "--limit", "16", "--encoder", "lexical", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "holdfast.harness.cli", *command],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    found = json.loads(done.stdout[done.stdout.index("{") :])
    assert {way["name"]: (way["differing"], way["not_run"]) for way in found["ways"]} == {
        "merged": (0, ""),
        "vllm": (0, ""),
    }


def _cut(name: str, tensor: object) -> object:
    if "q_proj" not in name:
        return tensor
    return tensor[:3] if "lora_A" in name else tensor[:, :3]  # type: ignore[index]
