"""`holdfast leaderboard --by`: a row for each adapter and task, perturbation, family or severity, in any format."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from holdfast import Results, UserError, leaderboard
from holdfast.harness.cli import main
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]


@pytest.fixture
def results(run: Evaluate) -> Results:
    tasks = [
        Task(name, tuple(Sample(f"s{i}", f"What is the {name} number {i} of the list?", (f"{i}",)) for i in range(6)), ("token_f1",))
        for name in ("odd", "even")
    ]  # fmt: skip
    return run(Fake(), tasks=tasks, perturbations="typos,word_deletion,case", severity="light,0.3", repeats=2)


def stored_mean(results: Results, score: str, **chosen: object) -> float:
    """The mean over samples of the mean over their variants, from samples.jsonl."""
    lines = [json.loads(line) for line in (results.path / "samples.jsonl").open()]
    rows = pd.DataFrame([{**line, **line["scores"]} for line in lines])
    rows = rows[~rows["perturbation"].isin(["clean", "identity"])]
    for name, value in chosen.items():
        rows = rows[rows[name].isin(value if isinstance(value, list) else [value])]
    return float(rows.groupby(["task", "sample"])[score].mean().mean())


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        ("task", {"odd": {"task": "odd"}, "even": {"task": "even"}}),
        ("severity", {"light": {"severity": "light"}, "0.3": {"severity": "0.3"}}),
        ("perturbation", {name: {"perturbation": name} for name in ("typos", "word_deletion", "case")}),
        (
            "family",
            {"words": {"perturbation": "word_deletion"}, "characters": {"perturbation": ["typos", "case"]}},
        ),
    ],
)
def test_each_part_has_a_row_per_adapter(results: Results, by: str, labels: dict) -> None:
    board = leaderboard(results, by=by)  # type: ignore[arg-type]
    assert sorted(zip(board["adapter"], board[by], strict=True)) == sorted(
        (adapter, label) for adapter in ("base", "other") for label in labels
    )
    for row in board.to_dict("records"):
        chosen = {"adapter": row["adapter"], **labels[row[by]]}
        assert row["perturbed"] == pytest.approx(stored_mean(results, "token_f1", **chosen), abs=1e-6)
        assert row["max_drift"] == pytest.approx(stored_mean(results, "max_drift", **chosen), abs=1e-6)
        assert row["n"] == (6 if by == "task" else 12)


def test_the_worst_cell_has_its_score(results: Results) -> None:
    row = results.leaderboard.iloc[0]
    task, _, rest = row["worst_cell"].partition("/")
    perturbation, _, severity = rest.partition("@")
    cells = results.breakdown.set_index(["adapter", "task", "perturbation", "severity"])
    assert row["worst_cell_score"] == cells.loc[(row["adapter"], task, perturbation, severity), "perturbed"]


@pytest.mark.parametrize(
    ("format", "begins"), [("csv", "run,adapter,task,"), ("markdown", "<!--"), ("html", "<!--"), ("latex", "% ")]
)
def test_a_format_is_printed_or_written(
    results: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str], format: str, begins: str
) -> None:
    target = tmp_path / "board"
    command = ["leaderboard", str(results.path), "--by", "task", "--format", format]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(begins)
    for _ in range(2):  # a file of its own is replaced
        assert main([*command, "--output_path", str(target)]) == 0
    assert target.read_text() == printed
    assert capsys.readouterr().out == f"written to {target}\n" * 2


def test_a_file_of_others_is_not_replaced(results: Results, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("adapter,score\nx,1\n")
    assert main(["leaderboard", str(results.path), "--output_path", str(tmp_path / "mine.csv")]) == 1
    assert (tmp_path / "mine.csv").read_text() == "adapter,score\nx,1\n"


def test_a_run_is_named_once(results: Results) -> None:
    with pytest.raises(UserError, match="is named twice"):
        leaderboard([results, str(results.path)])
