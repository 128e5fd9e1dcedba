"""`holdfast calibrate`: a threshold, and how often it is right."""

import json
from pathlib import Path

import numpy as np
import pytest

from holdfast.errors import UserError
from holdfast.harness.actions.calibration import calibrate
from holdfast.harness.cli import main
from holdfast.harness.results.statistics import proportion_interval
from holdfast.metrics.labelled_pairs import embedded_pairs


def pairs(path: Path, changed: int, same: int) -> Path:
    rows = [
        {
            "id": f"c{i}",
            "domain": "d",
            "kind": "number",
            "changed": True,
            "clean": f"It costs {i + 2} euros.",
            "perturbed": f"It costs {i + 30} euros.",
        }
        for i in range(changed)
    ] + [
        {
            "id": f"s{i}",
            "domain": "d",
            "kind": "case",
            "changed": False,
            "clean": f"Room {i + 2} is free.",
            "perturbed": f"room {i + 2} is free.",
        }
        for i in range(same)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_threshold_is_fitted_on_one_half_and_judged_on_the_other(tmp_path: Path) -> None:
    found = calibrate(pairs=pairs(tmp_path / "pairs.jsonl", 20, 20), encoder="lexical")
    assert (found.fitted_on, found.judged_on) == (20, 20)
    assert found.power == 1.0
    assert found.power_interval[0] > 0.6
    assert found.power_by_kind == {"number": 1.0}
    assert found.false_alarm <= 0.2
    assert 0 < found.threshold <= 1


def test_the_command_prints_and_keeps_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = pairs(tmp_path / "pairs.jsonl", 20, 20), tmp_path / "found.json"
    assert main(["calibrate", "--pairs", str(file), "--encoder", "lexical", "--out", str(out)]) == 0
    threshold = json.loads(out.read_text())["threshold"]
    assert f"--break_threshold {threshold:g}" in capsys.readouterr().out


def test_the_embedded_set_serves_without_a_model() -> None:
    found = calibrate(encoder="lexical", false_alarm=0.2)
    assert found.fitted_on + found.judged_on == len(embedded_pairs())
    assert found.power > found.false_alarm


@pytest.mark.parametrize(
    ("changed", "same", "share", "message"),
    [
        (20, 0, 0.1, "must include both changed and unchanged ones"),
        (20, 20, 1.5, "--false_alarm must be between 0 and 1, got 1.5"),
    ],
)
def test_pairs_that_cannot_calibrate_are_refused(
    tmp_path: Path, changed: int, same: int, share: float, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        calibrate(pairs=pairs(tmp_path / "pairs.jsonl", changed, same), encoder="lexical", false_alarm=share)


def test_a_folder_that_is_not_a_run_is_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.harness.actions.calibration.segment_drift", pytest.fail)
    with pytest.raises(UserError, match="nope is not a run: it has no run.json"):
        calibrate([tmp_path / "nope"], encoder="lexical")


def test_the_threshold_keeps_its_promise_with_confidence() -> None:
    found = calibrate(encoder="lexical", false_alarm=0.2)
    stricter = calibrate(encoder="lexical", false_alarm=0.1)
    same = sum(pair.split == "build" and not pair.changed for pair in embedded_pairs())
    for one in (found, stricter):
        called = round(one.fitted_false_alarm * same)
        assert 0 < proportion_interval(np.array([1.0] * called + [0.0] * (same - called)))[1] <= one.wanted_false_alarm
    assert stricter.threshold > found.threshold
    assert stricter.fitted_false_alarm < found.fitted_false_alarm
