"""Rows by group of samples in the breakdown, the long table, the leaderboard and on the screen."""

import json
import zlib
from collections.abc import Callable

import pandas as pd
import pytest

from holdfast import Results, UserError, leaderboard
from holdfast.harness.backends import Request
from holdfast.harness.cli import main
from holdfast.harness.results.report.patterns import patterns
from holdfast.harness.results.report.sources import read_sources
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]


def kings(run: Evaluate, count: int) -> Results:
    """Questions in two languages, of which one adapter answers Hindi ones wrongly."""
    samples = [
        Sample(
            f"{language}{i}",
            f"{start} {i + offset} of the old list of kings?",
            ("right",),
            {"group": {"language": language, "half": "first" if i < 6 else "second"}, "item": str(i)},
        )
        for i in range(count)
        for language, start, offset in (("en", "Who is the number", 100), ("hi", "Kaun hai number", 500))
    ]

    def rule(request: Request) -> str:
        english = int("".join(filter(str.isdigit, request.prompt))) < 500  # no perturbation changes a number
        return "right" if english or request.adapter == "base" else "wrong"

    task = Task("kings", tuple(samples), ("exact_match",))
    return run(Fake(rule=rule), tasks=task, adapters="base,other=pocket-steady", perturbations="case@0.3,typos@0.01")


@pytest.fixture
def results(run: Evaluate) -> Results:
    """Twelve questions in two languages."""
    return kings(run, 12)


def stored(results: Results) -> pd.DataFrame:
    lines = [json.loads(line) for line in (results.path / "samples.jsonl").open()]
    return pd.DataFrame([{**line, **line["scores"]} for line in lines])


def test_the_breakdown_has_a_row_per_group(results: Results) -> None:
    rows, answers = results.breakdown, stored(results)
    groups = ["all", "language=en", "language=hi", "half=first", "half=second"]
    assert list(rows["group"].unique()) == groups
    cells = rows.groupby(["adapter", "perturbation", "severity"])["group"].apply(list)
    assert all(listed == groups for listed in cells)
    for row in rows.to_dict("records"):
        mine = answers[(answers["adapter"] == row["adapter"]) & (answers["perturbation"] == row["perturbation"])]
        mine = mine[[row["group"] in ("all", *groups) for groups in mine["groups"]]]
        assert row["exact_match"] == pytest.approx(mine["exact_match"].mean(), abs=1e-6)
        assert row["n"] == len(mine)


def test_the_long_table_has_the_rows_of_groups(results: Results) -> None:
    long = pd.read_csv(results.path / "cells.csv")
    chosen = long.query("adapter == 'other' and perturbation == 'clean' and metric == 'clean'").set_index("group")
    assert chosen.loc["language=hi", ["n", "value"]].tolist() == [12, 0.0]
    assert chosen.loc["language=en", ["n", "value"]].tolist() == [12, 1.0]
    assert chosen.loc["all", ["n", "value"]].tolist() == [24, 0.5]


def test_the_leaderboard_has_a_row_per_group(results: Results) -> None:
    board = leaderboard(results, by="group").set_index(["adapter", "group"])
    assert board.loc[("other", "language=hi"), ["clean", "n"]].tolist() == [0.0, 12]
    assert board.loc[("base", "half=first"), ["clean", "n"]].tolist() == [1.0, 12]
    assert len(board) == 8
    pd.testing.assert_frame_equal(results.groups.set_index(["adapter", "group"])[["n", "clean"]], board[["n", "clean"]])


def test_parallel_items_are_compared_item_by_item(results: Results) -> None:
    board = leaderboard(results, by="group").set_index(["adapter", "group"])
    assert board.loc[("other", "language=hi"), "gap_to"] == "language=en"
    answers = stored(results).query("adapter == 'other' and perturbation in ('case', 'typos')")
    means = answers.assign(language=[groups[0] for groups in answers["groups"]])
    means = means.groupby(["item", "language"])["exact_match"].mean().unstack()
    expected = (means["language=hi"] - means["language=en"]).mean()
    row = board.loc[("other", "language=hi")]
    assert row["gap"] == pytest.approx(expected, abs=1e-6)
    assert row["gap_low"] <= row["gap"] <= row["gap_high"] < 0
    assert row["gap_items"] == 12
    assert pd.isna(board.loc[("other", "language=en"), "gap"])
    assert pd.isna(board.loc[("other", "half=second"), "gap"])  # another half of the items


def test_the_screen_shows_the_worst_group_first(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    from holdfast.harness.results.tables import print_results

    print_results(results)
    lines = capsys.readouterr().out.splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("Groups of samples, worst first"))
    assert "language=hi" in "".join(lines[place : place + 5])
    assert all(len(line) <= 78 for line in lines if not line.startswith("files"))


def test_names_of_groups_stay_readable(run: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    from holdfast.harness.results.tables import print_results

    names = ("sports_and_leisure", "local_government")
    samples = [
        Sample(f"{name}{i}", f"Who opened number {i} of {name}?", ("Ann",), {"group": {"category": name}})
        for name in names
        for i in range(6)
    ]
    fake = Fake(rule=lambda request: "Ann" if zlib.crc32(f"{request.prompt}{request.adapter}".encode()) % 2 else "Ben")
    results = run(
        fake,
        tasks=Task("news", tuple(samples), ("exact_match",)),
        adapters="base,other=pocket-steady",
        perturbations="typos@0.1,spacing@0.2",
    )
    capsys.readouterr()
    print_results(results)
    printed = capsys.readouterr().out
    assert all(f"category={name}" in printed for name in names)


def test_the_report_has_a_row_per_group(results: Results) -> None:
    shown = patterns(read_sources([results.path]))
    assert {row.task for row in shown.heat.rows} == {"kings"}
    board = results.groups.set_index(["adapter", "group"])
    groups = ["language=en", "language=hi", "half=first", "half=second"]
    assert [(row.adapter, row.group) for row in shown.groups] == [(a, g) for a in ("base", "other") for g in groups]
    for row in shown.groups:
        expected = board.loc[(row.adapter, row.group)]
        assert row.samples == expected["n"] == 12
        assert [row.clean, row.perturbed, row.drift] == [
            f"{expected[name]:.3f}" for name in ("clean", "perturbed", "max_drift")
        ]
        assert row.gap.endswith("to language=en") == (row.group == "language=hi")


def test_a_gap_of_few_items_says_so(run: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    results = kings(run, 7)  # 7 items in 14 samples
    gaps = [row.gap for row in patterns(read_sources([results.path])).groups if row.gap]
    assert gaps == ["+0.000 [items < 10] to language=en", "-1.000 [items < 10] to language=en"]
    capsys.readouterr()
    board = str(results.path / "groups.csv")
    assert main(["leaderboard", str(results.path), "--by", "group", "--output_path", board]) == 0
    assert "-1.000 [items < 10]" in capsys.readouterr().out


def test_a_run_without_groups_has_no_rows_of_them(run: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    results = run(Fake())
    assert set(results.breakdown["group"]) == {"all"}
    assert results.groups is None
    with pytest.raises(UserError, match="no sample of this run has a group: give the samples the field 'group'"):
        leaderboard(results, by="group")
    assert main(["leaderboard", str(results.path), "--by", "group", "--format", "csv"]) == 1


def test_excluded_variants_count_for_their_group(run: Evaluate) -> None:
    contents = {"long": "Who wrote the long novel about the whale and the captain?", "short": "Who left?"}
    samples = [
        Sample(f"{name}{i}", content, (), {"group": name}) for name, content in contents.items() for i in range(3)
    ]
    results = run(
        Fake(), tasks=Task("t", tuple(samples), ("answer_rate",)), perturbations="word_deletion@0.5", min_meaning=0.7
    )
    excluded = [json.loads(line)["sample"] for line in (results.path / "excluded.jsonl").open()]
    rows = results.breakdown.query("adapter == 'base' and perturbation == 'word_deletion'").set_index("group")
    for name in contents:
        assert rows.loc[name, "excluded"] == pytest.approx(
            sum(each.startswith(name) for each in excluded) / 3, abs=1e-6
        )
