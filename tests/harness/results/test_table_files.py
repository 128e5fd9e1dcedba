"""The CSV files of a run: safe in spreadsheets and pandas, long as well as wide, each column described."""

import io
import json
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import Results, leaderboard
from holdfast.harness.cli import main
from holdfast.harness.results.column_schema import ABOUT, column_schema
from holdfast.harness.results.columns import columns_of
from holdfast.harness.results.spreadsheet import csv_text
from holdfast.tasks import Task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]

FORMULAS = ("=1+1", "+1", "-x", "@SUM(A1)", "\tx", "\rx", "＝1")
CHANGED = ("NA", "null", "None", "nan", "N/A", "007", "1e5", "true", "'quoted", "inf")


def as_read(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(csv_text(frame)))


def test_texts_survive_pandas_and_never_start_a_formula() -> None:
    names = [*FORMULAS, *CHANGED, "plain", "a,b", 'say "x"', "two\nlines"]
    read = as_read(pd.DataFrame({"adapter": names, "value": range(len(names))}))
    assert read["adapter"].str.removeprefix("'").tolist() == names
    assert not read["adapter"].str.startswith(("=", "+", "-", "@", "\t", "\r", "＝")).any()
    assert read["adapter"].iloc[-4:].tolist() == names[-4:]  # others stay as they are


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_every_text_is_read_back_without_its_apostrophe(texts: list[str]) -> None:
    read = as_read(pd.DataFrame({"adapter": texts, "value": 0.5}))
    assert [text.removeprefix("'") for text in read["adapter"]] == texts


def test_numbers_stay_numbers() -> None:
    frame = pd.DataFrame({"delta": [-0.5, float("nan")], "severity": ["0.02", "0.1"], "complete": [True, False]})
    read = as_read(frame)
    assert read["delta"].iloc[0] == -0.5
    assert read["severity"].tolist() == [0.02, 0.1]
    assert read["complete"].tolist() == [True, False]


def test_adapters_named_na_and_null_are_in_every_table(run: Evaluate) -> None:
    results = run(Fake(), adapters="NA=base,null=base,+1=base")
    for name in ("breakdown", "leaderboard", "cells"):
        read = pd.read_csv(results.path / f"{name}.csv")
        assert set(read["adapter"].str.removeprefix("'")) == {"NA", "null", "+1"}
    assert set(results.leaderboard["adapter"]) == {"NA", "null", "+1"}
    merged = results.path / "merged.csv"
    leaderboard(results, output_path=merged)
    assert set(pd.read_csv(merged)["adapter"]) == {"'NA", "'null", "'+1"}


def test_the_long_table_has_the_numbers_of_the_wide_one(run: Evaluate) -> None:
    results = run(Fake(), severity="light,0.2")
    long = pd.read_csv(results.path / "cells.csv")
    assert list(long) == [
        *("adapter", "task", "group", "perturbation", "severity", "metric", "n", "value", "low", "high")
    ]
    assert set(long["group"]) == {"all"}
    wide = pd.read_csv(results.path / "breakdown.csv")
    keys = ["adapter", "task", "perturbation", "severity"]
    for column in ("value", "low", "high"):
        back = long.fillna({"severity": ""}).pivot_table(index=keys, columns="metric", values=column, sort=False)
        for row in wide.fillna({"severity": ""}).itertuples():
            for name in ("clean", "delta", "max_drift", "token_f1"):
                end = "" if column == "value" else f"_{column}"
                expected = getattr(row, name + end, float("nan"))
                found = back.get(name, pd.Series()).get(
                    (row.adapter, row.task, row.perturbation, row.severity), float("nan")
                )
                assert found == pytest.approx(expected, nan_ok=True)


def test_digests_join_with_the_answers(run: Evaluate) -> None:
    results = run(Fake())
    digests = {json.loads(line)["adapter_digest"] for line in (results.path / "samples.jsonl").open()}
    board = pd.read_csv(results.path / "leaderboard.csv")
    assert set(board["digest"]) == digests
    assert set(board["variants"]) == {results.manifest.variants}


@pytest.fixture
def labelled(task: Task) -> Task:
    """The small task, which has labels and a prompt with a format as well."""
    return replace(task, metrics=(*task.metrics, "label_accuracy"), prompt="Question: {{ content }}\nAnswer:")


@pytest.mark.parametrize("file", ABOUT)
def test_every_column_of_a_run_is_described(
    run: Evaluate, labelled: Task, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    results = run(
        Fake(),
        tasks=labelled,
        perturbations="typos,negate,format@2",
        severity="light,0.1,0.2",
        aggregate="mean,worst",
        mitigations="robust_prompt",
    )
    assert main(["schema", file]) == 0
    schema = json.loads(capsys.readouterr().out)
    header = pd.read_csv(results.path / file).columns
    assert set(header) <= schema["properties"].keys()
    assert all(each["description"] for each in schema["properties"].values())


def test_the_schema_holds_for_the_rows_of_a_run(run: Evaluate, labelled: Task) -> None:
    asked = {"perturbations": "typos,format", "severity": "light,heavy", "mitigations": "robust_prompt"}
    results = run(Fake(), tasks=labelled, **asked)
    for file in ABOUT:
        properties = column_schema(file)["properties"]
        for row in pd.read_csv(results.path / file).to_dict("records"):
            for name, value in row.items():
                kind = properties[name]["type"][0]
                if value == value:
                    expected = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}[kind]
                    assert isinstance(value, expected), (file, name, value)
                    assert properties[name].get("minimum", value) <= value <= properties[name].get("maximum", value)


def test_a_merged_leaderboard_has_only_described_columns(run: Evaluate) -> None:
    board = leaderboard(run(Fake(), adapters="base,pocket-steady"), geometry=True)
    assert set(board) <= {column.name for column in columns_of("leaderboard")}
