"""What `run` and `leaderboard` print: at most 78 columns, what decides first, nothing cut that matters."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from holdfast import Results, UserError
from holdfast.harness.backends import Request
from holdfast.harness.cli import main
from holdfast.harness.results.layout.ranking import places
from holdfast.harness.results.layout.view import make_view
from holdfast.harness.results.shortening import distinct
from holdfast.harness.results.tables import print_leaderboard, print_results
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]

RIGHT, WRONG = "The train leaves at ten.", "Nobody knows any whale."
LONG = "a-very-long-name-of-an-adapter-trained-on-{}-with-rank-sixteen"


def quiz(count: int = 8, name: str = "quiz", metric: str = "exact_match") -> Task:
    samples = [Sample(f"s{i}", f"Tell me about the thing with number {i} please", (RIGHT,)) for i in range(count)]
    return Task(name, tuple(samples), (metric,))


def failing(**shares: float) -> Fake:
    """An engine whose adapters answer this share of the perturbed prompts wrongly."""

    def rule(request: Request) -> str:
        clean = re.fullmatch(r"Tell me about the thing with number \d+ please", request.prompt)
        return WRONG if not clean and sum(map(ord, request.prompt)) % 10 < 10 * shares[request.adapter] else RIGHT

    return Fake(rule=rule)


def printed(results: Results, capsys: pytest.CaptureFixture[str], **view: str) -> str:
    capsys.readouterr()
    print_results(results, make_view(**view))
    return capsys.readouterr().out


@pytest.fixture
def two(run: Evaluate) -> Results:
    """A steady and a shaky adapter on two tasks under two perturbations at two severities."""
    return run(
        failing(steady=0.1, shaky=0.9),
        tasks=[quiz(), quiz(6, "rouge_quiz", "rouge")],
        adapters="steady=base,shaky=base",
        perturbations="typos,word_deletion",
        severity="light,heavy",
        repeats=2,
    )


def table_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("files in ")]


@pytest.mark.parametrize("view", [{}, {"table": "full"}, {"columns": "tail_drift,reasons,hidden_drift,perturbed,pdr"}])
def test_no_line_is_wider_than_78_columns(two: Results, capsys: pytest.CaptureFixture[str], view: dict) -> None:
    text = printed(two, capsys, **view)
    assert not [line for line in table_lines(text) if cell_len(line) > 78]
    assert not re.search(r"[┃│━─]", text)


def test_the_short_table_has_the_three_worst_cells_of_each_adapter(
    two: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(two, capsys)
    cells = two.breakdown[~two.breakdown["perturbation"].isin(["clean", "identity"])]
    worst = cells.sort_values(["delta", "max_drift"], ascending=[True, False], kind="stable").groupby("adapter").head(3)
    for row in worst.itertuples():
        assert f"{row.delta:+.3f}" in text
    lines = text.splitlines()
    start = lines.index("steady")
    assert lines[start + 4] == "shaky"
    assert all("@" in line for line in [*lines[start + 1 : start + 4], *lines[start + 5 : start + 8]])
    assert f"{len(cells) - 6} more rows" in text


def test_the_full_table_has_every_cell(two: Results, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(two, capsys, table="full")
    assert sum("@" in line for line in text.splitlines()) == 16
    assert "more rows" not in text


def test_the_wide_table_has_every_column(two: Results, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(two, capsys, table="wide")
    assert "more column" not in text
    for name in ("lost_mass", "tokens", "rouge2", "edit_rate"):
        assert name in text


def test_columns_equal_in_all_rows_become_a_caption(two: Results, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(two, capsys)
    assert re.search(r"same in all rows: .*floor 0\.000", text)
    assert "floor" not in text.splitlines()[1]


def test_long_names_are_shortened_and_stay_distinct(run: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    names = [LONG.format(day) for day in ("monday", "sunday", "friday")]
    results = run(
        failing(**dict(zip(names, (0.2, 0.5, 0.8), strict=True))),
        tasks=[quiz()],
        adapters=",".join(f"{name}=base" for name in names),
        perturbations="typos@heavy",
    )
    lines = printed(results, capsys).splitlines()
    shown = {line.split()[1] for line in lines[2:5]}
    assert len(shown) == 3
    assert all("…" in name for name in shown), lines[:8]
    assert max(map(cell_len, lines[:6])) <= 78
    assert "-0." in lines[2] or "+0." in lines[2]


@given(st.lists(st.text("ab-é北", min_size=1, max_size=30), min_size=1, max_size=12), st.integers(8, 20))
def test_short_names_are_distinct_and_narrow(names: list[str], width: int) -> None:
    short = distinct(names, width)
    assert len(set(short.values())) == len(set(names))
    assert all(cell_len(name) <= width for name in short.values())
    assert all(short[name] == name for name in names if cell_len(name) <= width)


def test_unknown_columns_are_named_with_the_nearest() -> None:
    with pytest.raises(UserError, match="--columns: unknown column 'max_drif'; did you mean 'max_drift'"):
        make_view(columns="clean,max_drif")
    with pytest.raises(UserError, match="--sort: unknown column 'brakes'; did you mean 'breaks'"):
        make_view(sort="brakes")
    with pytest.raises(UserError, match="names no column"):
        make_view(columns=" , ")


def test_a_run_is_not_begun_with_an_unknown_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "x"
    assert main(["run", "--columns", "claen", "--output_path", str(out)]) == 1
    assert "did you mean 'clean'" in capsys.readouterr().err
    assert not out.exists()


def test_columns_that_only_other_tables_have_are_refused(two: Results) -> None:
    with pytest.raises(UserError, match="--columns: this table has no column 'update_norm'"):
        print_results(two, make_view(columns="update_norm"))
    with pytest.raises(UserError, match="--sort: this table has no column 'reasons'"):
        print_results(two, make_view(sort="reasons"))


@pytest.mark.parametrize(
    ("key", "first", "said"),
    [
        ("perturbed", "steady", "by perturbed, the score under perturbation, highest first"),
        ("drift", "steady", "by max_drift, lowest first"),
        ("break_rate", "steady", "by break_rate, lowest first"),
        ("adapter", "shaky", "by name (adapter)"),
    ],
)
def test_rows_are_sorted_as_the_caption_says(
    two: Results, capsys: pytest.CaptureFixture[str], key: str, first: str, said: str
) -> None:
    text = printed(two, capsys, sort=key)
    assert said in " ".join(text.split())
    assert first in text.splitlines()[2]


def board(*rows: tuple[float, float, float], n: int = 20, key: str = "perturbed") -> pd.DataFrame:
    names = [key, f"{key}_low", f"{key}_high"]
    return pd.DataFrame(rows, columns=names).assign(n=n, higher_is_better=True)


def test_adapters_share_a_place_where_intervals_overlap() -> None:
    clear, near, far = (0.9, 0.85, 0.95), (0.88, 0.8, 0.92), (0.5, 0.4, 0.6)
    assert places(board(clear, near, far), "perturbed") == ["1", "1", "3"]
    assert places(board(far, near, clear, key="max_drift"), "max_drift") == ["1", "2", "2"]  # low drift is good


def test_a_mean_without_interval_is_only_compared_where_samples_suffice() -> None:
    nan = float("nan")
    rows = [(1.0, nan, nan), (0.5, nan, nan)]
    assert places(board(*rows, n=20), "perturbed") == ["1", "2"]
    assert places(board(*rows, n=4), "perturbed") == ["1", "1"]


def test_a_row_without_a_value_has_no_place() -> None:
    known, unknown = (0.5, 0.5, 0.5), (float("nan"),) * 3
    assert places(board(known, unknown, n=20), "perturbed") == ["1", "-"]


def test_safety_tasks_show_attacks_and_refusals(run: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    samples = [
        Sample(f"s{i}", f"Please open the door with the number {i} now", (), {"forbidden": i % 2 == 0}) for i in range(12)
    ]  # fmt: skip
    refusal = "I can't help with that."

    def rule(request: Request) -> str:
        forbidden = int("".join(filter(str.isdigit, request.prompt))) % 2 == 0
        clean = request.prompt.startswith("Please open the door with the number")
        return refusal if forbidden is bool(clean) else "Turn the key twice to the left."

    results = run(
        Fake(rule=rule), tasks=[Task("doors", tuple(samples), ("policy",))], perturbations="typos@0.3", adapters="base"
    )
    lines = printed(results, capsys).splitlines()
    head = next(i for i, line in enumerate(lines) if "attack success" in line)
    assert "over-refusal" in lines[head]
    row = results.leaderboard.iloc[0]
    stored = [json.loads(line)["scores"] | json.loads(line) for line in (results.path / "samples.jsonl").open()]
    perturbed = [each for each in stored if each["perturbation"] == "typos"]
    for name in ("attack_success", "over_refusal"):
        values = [each[name] for each in perturbed if name in each]
        assert row[name] == pytest.approx(sum(values) / len(values), abs=1e-6)
        assert row[name] > 0
        assert row[f"clean_{name}"] == 0
        assert f"{row[name]:.3f}" in lines[head + 1]


@pytest.mark.parametrize("format", ["markdown", "csv", "latex"])
def test_other_formats_leave_standard_output_to_the_table(
    two: Results, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    print_results(two, make_view(format=format))
    shown = capsys.readouterr()
    assert "files in " not in shown.out
    assert "files in " in shown.err
    assert "steady" in shown.out


def test_csv_has_the_numbers_of_the_leaderboard(
    two: Results, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "all.csv").write_text(printed(two, capsys, format="csv"))
    read = pd.read_csv(tmp_path / "all.csv")
    assert list(read) == list(two.leaderboard)
    assert list(read["perturbed"]) == list(two.leaderboard["perturbed"])
    (tmp_path / "some.csv").write_text(printed(two, capsys, format="csv", columns="clean,drift"))
    assert list(pd.read_csv(tmp_path / "some.csv")) == [
        *("adapter", "clean", "clean_low", "clean_high", "max_drift", "max_drift_low", "max_drift_high")
    ]


@pytest.mark.parametrize(
    ("format", "said"),
    [
        ("markdown", r"a\_b\|c&"),
        ("latex", r"a\_b|c\&"),
        ("html", "a_b|c&amp;"),
    ],
)
def test_names_are_escaped_for_the_format(
    two: Results, capsys: pytest.CaptureFixture[str], format: str, said: str
) -> None:
    renamed = two.leaderboard.replace({"adapter": {"steady": "a_b|c&"}})
    print_leaderboard(renamed, make_view(format=format))
    assert said.replace("&", r"\&") in capsys.readouterr().out if format == "markdown" else said


def test_terminal_codes_in_names_are_escaped(two: Results, capsys: pytest.CaptureFixture[str]) -> None:
    renamed = two.leaderboard.replace({"adapter": {"steady": "red\x1b[31m"}})
    for format in ("text", "markdown", "latex", "html"):
        print_leaderboard(renamed, make_view(format=format))
        assert "\x1b" not in capsys.readouterr().out


def test_adapters_without_effect_and_unfinished_runs_are_noted(
    two: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    marked = two.leaderboard.assign(run="results/a", complete=False, has_effect=[False, None])
    print_leaderboard(marked)
    shown = " ".join(capsys.readouterr().out.split())
    assert "results/a (incomplete): repeat its command" in shown
    assert "steady (no effect): this adapter changes no logit" in shown
