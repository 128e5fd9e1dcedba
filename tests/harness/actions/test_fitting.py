"""`holdfast calibrate --fit`: the costs are learned from labelled pairs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.harness.actions.fitting import KINDS
from holdfast.harness.cli import main
from holdfast.metrics.costs import Costs
from holdfast.metrics.drift import BREAK, segment_drift

Write = Callable[[str, list[tuple[str, str, bool]]], Path]

NUMBERS = [(f"The pump needs {n} litres.", f"The pump needs {n + 7} litres.", True) for n in range(2, 14)]
NAMES = [(f"{one} signed it in {place}.", f"{one} signed it in Oslo.", True) for one in ("Anna", "Ben") for place in ("Rome", "Lyon", "Delhi")]  # fmt: skip
SAME = [(f"The pump needs {n} litres.", f"{n} litres are needed by the pump.", False) for n in range(2, 14)]
KEPT = [(f"{one} signed it in Oslo.", f"In Oslo, {one} signed it.", False) for one in ("Anna", "Ben", "Clara")]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, pairs: list[tuple[str, str, bool]]) -> Path:
        path = tmp_path / f"{name}.jsonl"
        path.write_text("\n".join(json.dumps({"a": a, "b": b, "changed": changed}) for a, b, changed in pairs))
        return path

    return write


def test_costs_are_fitted_and_measured_on_the_family_left_out(write: Write, tmp_path: Path) -> None:
    out = tmp_path / "costs.json"
    families = [f"numbers={write('numbers', NUMBERS + SAME)}", f"names={write('names', NAMES + KEPT)}"]
    assert main(["calibrate", "--fit", *families, "--encoder", "lexical", "--output_path", str(out)]) == 0
    table = json.loads(out.read_text())
    assert set(table["pairs"]) == {"numbers", "names"}
    for part in ("vectors", "rules"):
        assert table[part]["weights"].keys() == set(KINDS)
        assert min(table[part]["weights"].values()) >= 0
        assert set(table[part]["held_out"]) == {"numbers", "names"}
    pairs = NUMBERS + SAME + NAMES + KEPT
    drifts = segment_drift(
        [a for a, _, _ in pairs], [b for _, b, _ in pairs], encoding="lexical", comparer=f"facts={out}"
    )
    assert [drift.max_drift >= BREAK for drift in drifts] == [changed for *_, changed in pairs]


def test_a_table_has_fewer_than_forty_parameters() -> None:
    assert len(KINDS) + 1 < 40


def test_more_differences_never_cost_less() -> None:
    costs = Costs(dict.fromkeys(KINDS, 1.0), 2.0)
    values = [costs.cost(total / 4) for total in range(40)]
    assert values == sorted(values)
    assert values[0] == 0
    assert values[-1] <= 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["own"], "must have the form NAME=FILE,FILE"),
        (["own=missing.jsonl"], "does not exist"),
        (["own={same}"], "the family 'own' must include both changed and unchanged pairs"),
        (["own={broken}"], "line 1: a pair has texts"),
    ],
)
def test_wrong_families_are_refused_in_one_line(
    given: list[str], says: str, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"a": "x", "changed": true}')
    named = [each.format(same=write("same", SAME), broken=broken) for each in given]
    assert main(["calibrate", "--fit", *named, "--output_path", str(tmp_path / "costs.json")]) == 1
    said = capsys.readouterr().err.strip()
    assert says in said
    assert "\n" not in said


def test_a_fit_needs_a_place_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "--fit", "own=pairs.jsonl"]) == 1
    assert "say where with --output_path FILE" in capsys.readouterr().err


def test_what_is_no_table_of_costs_is_refused(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    pairs, others = write("pairs", SAME), write("others", KEPT)
    assert main(["drift", str(pairs), str(others), "--comparer", f"facts={pairs}"]) == 1
    said = capsys.readouterr().err
    assert "pairs.jsonl" in said
    assert "\n" not in said.strip()
