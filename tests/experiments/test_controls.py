"""The positive controls end with exit status 1 if they don't hold."""

import subprocess
import sys
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "benchmarks" / "experiments"


def failing(script: str, patch: str) -> str:
    """The last line of an experiment that ends with status 1; what it measures is replaced."""
    code = f"import sys, {script} as script\n{patch}\nsys.exit(script.main())"
    ended = subprocess.run([sys.executable, "-c", code], cwd=EXPERIMENTS, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 1, ended.stderr
    return ended.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("agreeing", "named"),
    [
        ({"lora": [3, 2, 2], "augment": [8, 8, 8], "consistency": [3, 2, 2], "rdrop": [4, 2, 2]}, "fails: consistency"),
        ({"lora": [3, 2, 2], "augment": [5, 4, 4], "consistency": [8, 8, 8]}, "fails: the control"),
    ],
)
def test_the_gate_fails_if_an_objective_does_not_beat_lora(agreeing: dict[str, list[int]], named: str) -> None:
    assert failing("gate", f"script.measured = lambda *_: {agreeing}").startswith(named)


def test_the_planted_control_fails_unless_csulora_wins_clearly(tmp_path: Path) -> None:
    rows = {"uncorrected": {"distance": 0.0, "asr": 1.0, "utility": 0.9}}
    for strength in ("1", "2", "4", "8", "16"):
        rows[f"csulora {strength}"] = {"distance": 0.1, "asr": 0.3, "utility": 0.9}
        rows[f"shrink {strength}"] = {"distance": 0.1, "asr": 0.7, "utility": 0.9}
    steps = "script.train = script.merge = script.make_subspace = script.plant = lambda *_, **__: None"
    arguments = f"sys.argv = ['planted', '--work', {str(tmp_path)!r}]"
    last = failing("csulora_planted", f"{steps}\nscript.measure = lambda *_: {rows}\n{arguments}")
    assert last == "fails: shrink's ASR minus CSULoRA's at its best strength: +40.0%"
