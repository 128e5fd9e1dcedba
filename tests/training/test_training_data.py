"""Training data: files in every form are read, and bad rows are named."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import UserError
from holdfast.training.examples import read_examples


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"prompt": "a", "completion": " "}], "line 1: the completion is empty"),
        ([{"prompt": "a", "completion": "b"}, {"prompt": "a"}], "line 2: the completion is empty or missing"),
        ([{"prompt": "a", "chosen": "b", "rejected": "c"}], "line 1: 'chosen' and 'rejected' are preferences"),
        ([{"chosen": "b", "rejected": "c"}], "line 1: 'chosen' and 'rejected' are preferences"),
        ([{"text": "a"}], "line 1: needs 'prompt' and 'completion', .*; got text"),
        ([{"prompt": None, "completion": "a"}], "line 1: 'prompt' must be a string, got null"),
        ([{"prompt": "a", "completion": 42}], "line 1: 'completion' must be a string, got 42"),
        ([{"messages": [{"role": "user", "content": "a"}]}], "line 1: 'messages' must hold at least two"),
        (
            [{"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]}],
            "must be the assistant's",
        ),
        (
            [{"messages": None}],
            "line 1: needs 'prompt' and 'completion', 'messages', or 'text' and 'label'; got messages",
        ),
        ([{"messages": "hello"}], "line 1: 'messages' must hold at least two"),
        (
            [{"messages": [{"role": "user", "content": [{"type": "image"}]}, {"role": "assistant", "content": "b"}]}],
            "each with 'role' and 'content' strings",
        ),
        ([{"text": "a", "label": " "}], "line 1: 'label' must be a name or a whole number >= 0"),
        ([{"text": "a", "label": -1}], "line 1: 'label' must be a name or a whole number >= 0, got -1"),
        ([{"text": 7, "label": "x"}], "line 1: a 'label' needs a 'text' that is a string"),
        ([{"content": "a", "references": "b"}], "needs 'prompt' and 'completion', .*; got content, references"),
        ([], "contains no examples"),
    ],
)
def test_bad_data_raises_an_error_naming_the_row(tmp_path: Path, rows: list[dict[str, Any]], message: str) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UserError, match=message):
        read_examples(str(data))


def test_a_csv_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "twice.csv").write_text("prompt,completion,prompt\na,b,c\n")
    with pytest.raises(UserError, match="twice.csv: two columns are called 'prompt'"):
        read_examples(str(tmp_path / "twice.csv"))


def test_a_csv_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("prompt,completion\na,schön\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"latin.csv, line 2: not UTF-8 \(byte 0xf6\); save the file as UTF-8"):
        read_examples(str(tmp_path / "latin.csv"))


def test_csv_values_are_read_as_strings(tmp_path: Path) -> None:
    texts, labels = tmp_path / "texts.csv", tmp_path / "labels.csv"
    texts.write_text("prompt,completion\nCode?,007\nShort for sodium?,NA\n")
    labels.write_text("text,label\nGood news,1\nBad news,0\n")
    assert [each.completion for each in read_examples(str(texts))] == ["007", "NA"]
    assert [each.label for each in read_examples(str(labels))] == [1, 0]


def test_training_reads_every_format_that_tasks_have(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pandas as pd

    rows = [{"prompt": "Code?", "completion": "007"}, {"prompt": "Names?", "completion": '["Ann", "Bo"]'}]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "a.ndjson").write_text(f"\n{lines}")
    (tmp_path / "a.json").write_text(json.dumps(rows, indent=1))
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "b.csv", index=False, sep=";")
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "a.parquet")
    for path in tmp_path.iterdir():
        found = [(each.prompt, each.completion) for each in read_examples(str(path))]
        assert found == [("Code?", "007"), ("Names?", '["Ann", "Bo"]')], path.name


def test_an_unknown_role_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    messages = [{"role": "wizard", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
    data.write_text(json.dumps({"messages": messages}))
    with pytest.raises(UserError, match="unknown role 'wizard' in 'messages'; use system, user, assistant, tool"):
        read_examples(str(data))


def test_parquet_without_pyarrow_names_the_extra_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data.parquet"
    with pytest.raises(UserError, match="does not exist"):
        read_examples(str(data))
    data.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "fastparquet", None)
    with pytest.raises(UserError, match=r"parquet files need pyarrow: pip install 'holdfast-eval\[data\]'"):
        read_examples(str(data))


def test_training_data_that_no_hub_has_are_one_line() -> None:
    with pytest.raises(UserError, match="'nobody/nothing' can't be loaded from the hub or its cache: "):
        read_examples("nobody/nothing")
