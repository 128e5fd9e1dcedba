"""People's own data in every format: fields mapped by name, encodings, and all mistakes at once."""

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.errors import UserError
from holdfast.tasks import Sample, load_task
from holdfast.tasks.data_files.field_map import FieldMap
from holdfast.tasks.data_files.text_lines import LONGEST

MAPPED = FieldMap(content="question", references="answer", group="topic")
MAPPED_ALONE = FieldMap(content="question", references="answer")
EXPECTED = (
    Sample("1", "Who wrote it?", ("Anna",), {"topic": "art", "group": "art"}),
    Sample("2", "Where is Lyon?\nIn Spain?", ("France", "in France"), {"topic": "places", "group": "places"}),
)


def write(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def seen(samples: tuple[Sample, ...]) -> list[tuple[object, ...]]:
    return [
        (sample.id, sample.content, sample.references, {k: v for k, v in sample.metadata.items() if k != "answer"})
        for sample in samples
    ]


@pytest.mark.parametrize("separator", [",", "\t"])
def test_a_table_maps_its_columns(tmp_path: Path, separator: str) -> None:
    rows = [
        ["question", "answer", "topic"],
        ["Who wrote it?", "Anna", "art"],
        ['"Where is Lyon?\nIn Spain?"', '"[""France"", ""in France""]"', "places"],
    ]
    name = write(tmp_path / f"q.{'csv' if separator == ',' else 'tsv'}", "\n".join(map(separator.join, rows)) + "\n\n")
    task = load_task(name, MAPPED)
    assert seen(task.samples) == seen(EXPECTED)
    assert (task.name, task.metrics) == ("q", ("token_f1", "exact_match", "rouge"))


def test_a_jsonl_file_maps_its_fields(tmp_path: Path) -> None:
    lines = [
        {"question": "Who wrote it?", "answer": "Anna", "topic": "art"},
        {"question": "Where is Lyon?\nIn Spain?", "answer": ["France", "in France"], "topic": "places"},
    ]
    task = load_task(write(tmp_path / "q.jsonl", "\n".join(map(json.dumps, lines))), MAPPED)
    assert seen(task.samples) == seen(EXPECTED)


def test_a_json_file_is_a_list_of_objects_or_one_in_each_line(tmp_path: Path) -> None:
    rows = [{"question": "Who wrote it?", "answer": "Anna"}, {"question": "Where is Lyon?", "answer": ["France"]}]
    listed = load_task(write(tmp_path / "q.json", "\ufeff " + json.dumps(rows, indent=1)), MAPPED_ALONE)
    by_line = load_task(write(tmp_path / "r.json", "\n".join(map(json.dumps, rows))), MAPPED_ALONE)
    assert listed.samples == by_line.samples
    assert [sample.references for sample in listed.samples] == [("Anna",), ("France",)]
    with pytest.raises(UserError, match="q.json, row 2: expected an object with named fields, got 7"):
        load_task(write(tmp_path / "q.json", json.dumps([rows[0], 7])), MAPPED_ALONE)


def test_cells_that_only_look_like_lists_are_texts_with_a_warning(tmp_path: Path) -> None:
    cells = ["\"['Lyon', 'Lyons']\"", '"[1998, 2000]"', "[sic]", "Lyon"]
    name = write(tmp_path / "q.csv", "question,answer\n" + "".join(f"Where?,{cell}\n" for cell in cells))
    with pytest.warns(UserWarning, match=r"row 1: 'answer' is the text \['Lyon', 'Lyons'\], like 1 more: if a list"):
        task = load_task(name, MAPPED_ALONE)
    assert task.samples[1].references == ("[1998, 2000]",)


def test_rows_in_one_cell_of_a_table_are_doubted(tmp_path: Path) -> None:
    name = write(tmp_path / "q.tsv", 'question\tanswer\n"Who\tAnna\nWhere?\tLyon\nSo "\tyes\n')
    with pytest.warns(UserWarning, match=r"q.tsv, row 1: 'question' is the text Who.*: if these are several rows"):
        assert len(load_task(name, MAPPED_ALONE).samples) == 1


def test_parquet_and_saved_data_sets_map_their_columns(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = {
        "question": ["Who wrote it?", "Where is Lyon?\nIn Spain?"],
        "answer": [["Anna"], ["France", "in France"]],
        "topic": ["art", "places"],
    }
    table = datasets.Dataset.from_dict(rows)
    table.to_parquet(tmp_path / "q.parquet")
    table.save_to_disk(tmp_path / "saved")
    datasets.DatasetDict({"train": table.select([0]), "test": table}).save_to_disk(tmp_path / "splits")
    for source in ("q.parquet", "saved", "splits"):
        assert seen(load_task(str(tmp_path / source), MAPPED).samples) == seen(EXPECTED)


def test_a_hub_name_that_cannot_be_reached_is_one_line() -> None:
    with pytest.raises(UserError, match="'nobody/nothing'"):
        load_task("nobody/nothing")


def test_text_at_label_is_a_classification(tmp_path: Path) -> None:
    task = load_task(write(tmp_path / "s.txt", "Sales rose to 3@5 a.m.@positive\nA loss .@negative\n"))
    assert [(sample.content, sample.references) for sample in task.samples] == [
        ("Sales rose to 3@5 a.m.", ("positive",)),
        ("A loss .", ("negative",)),
    ]
    assert task.metrics == ("label_accuracy",)
    assert task.samples[0].metadata["labels"] == ("positive", "negative")


def test_a_file_whose_rows_have_labels_is_a_classification(tmp_path: Path) -> None:
    rows = [{"id": str(i), "content": f"Text {i}", "references": "no", "labels": ["yes", "no"]} for i in range(2)]
    task = load_task(write(tmp_path / "q.jsonl", "\n".join(map(json.dumps, rows))))
    assert task.metrics == ("label_accuracy",)
    assert task.samples[0].metadata["labels"] == ("yes", "no")
    del rows[1]["labels"]
    assert load_task(write(tmp_path / "r.jsonl", "\n".join(map(json.dumps, rows)))).metrics[0] == "token_f1"


def test_damaged_latin_1_is_repaired_and_counted(tmp_path: Path) -> None:
    damaged = "Metsäliitto grew@positive\n".encode("latin-1") + "MetsÃ¤ shrank@negative\nplain@neutral\n".encode()
    with pytest.warns(UserWarning, match=r"s.txt: repaired the encoding of 2 of 3 lines"):
        task = load_task(write(tmp_path / "s.txt", damaged))
    assert [sample.content for sample in task.samples] == ["Metsäliitto grew", "Metsä shrank", "plain"]


def test_only_the_encoding_asked_for_is_used(tmp_path: Path) -> None:
    line = '{"id": 1, "content": "café Ã©"}\n'
    name = write(tmp_path / "a.jsonl", line.encode("latin-1"))
    assert load_task(name, FieldMap(encoding="latin-1")).samples[0].content == "café Ã©"  # nothing is repaired
    name = write(tmp_path / "b.jsonl", line.encode("utf-16"))
    assert load_task(name, FieldMap(encoding="utf-16")).samples[0].content == "café Ã©"
    with pytest.raises(UserError, match="unknown encoding 'latin-11'; did you mean 'latin-1'?"):
        load_task(name, FieldMap(encoding="latin-11"))


@pytest.mark.parametrize("name", ["q.csv", "q.jsonl"])
def test_utf_16_is_named_as_what_it_is(tmp_path: Path, name: str) -> None:
    text = "question,answer\nWho?,Anna\n" if name == "q.csv" else '{"question": "Who?", "answer": "Anna"}\n'
    path = write(tmp_path / name, text.encode("utf-16"))
    with pytest.raises(UserError, match="is UTF-16: name this encoding"):
        load_task(path, MAPPED_ALONE)
    assert load_task(path, replace(MAPPED_ALONE, encoding="utf-16")).samples[0].content == "Who?"


def test_all_mistakes_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    lines = [
        b'{"id": 1, "content": "a", "references": ["x"]}',
        b'{"id": 2, "references": ["x"]}',
        b'{"id": 3, "content": "caf\xe9", "references": ["x"]}',
        b'{"id": 1, "content": "b", "references": ["x"]}',
        b'{"id": 5, "content": "b", "references": [""]}',
        b'{"id": 6, "content": "b", "references": ["x"], "labels": ["y", "z"]}',
        b"{",
    ]
    with pytest.raises(UserError) as caught:
        load_task(write(tmp_path / "m.jsonl", b"\n".join(lines)))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'm.jsonl'} has 6 mistakes: line 2: missing field 'content'")
    for part in (
        "line 3: not UTF-8 (byte 0xe9)",
        "line 4: duplicate id '1', also on line 1",
        "line 5: 'references' has an empty answer",
        "line 6: the reference 'x' is not one of the labels ['y', 'z']",
        "line 7: not valid JSON",
    ):
        assert part in message


def test_a_spreadsheet_may_separate_columns_by_semicolons(tmp_path: Path) -> None:
    name = write(tmp_path / "q.csv", 'question;answer\n"Rome; or Paris?";Rome, I think\n')
    [sample] = load_task(name, FieldMap(content="question", references="answer")).samples
    assert (sample.content, sample.references) == ("Rome; or Paris?", ("Rome, I think",))


@pytest.mark.parametrize(
    ("header", "row"), [('"question";"seen, by whom"', "Where?;Anna"), ('question,"seen; by whom"', "Where?,Anna")]
)
def test_separators_in_quoted_names_do_not_count(header: str, row: str, tmp_path: Path) -> None:
    name = write(tmp_path / "q.csv", f"{header}\n{row}\n")
    [sample] = load_task(name, FieldMap(content="question", references=header.split('"')[-2])).samples
    assert (sample.content, sample.references) == ("Where?", ("Anna",))


def test_many_mistakes_are_cut_with_a_count(tmp_path: Path) -> None:
    name = write(tmp_path / "m.csv", "id,content\n" + "".join(f"{i // 2},a\n" for i in range(100)))
    with pytest.raises(UserError, match=r"m.csv has 50 mistakes: row 2: duplicate .*; and 30 more$") as caught:
        load_task(name)
    assert str(caught.value).count("duplicate") == 20


def test_a_mistake_of_many_rows_is_told_once(tmp_path: Path) -> None:
    name = write(tmp_path / "m.csv", "id,content\n" + "1,a\n" * 51)
    with pytest.raises(UserError, match="m.csv has 50 mistakes: row 2, row 3, row 4 and 47 more: duplicate id '1'"):
        load_task(name)


def test_mistakes_in_mapped_fields_are_told_by_the_names_of_the_file(tmp_path: Path) -> None:
    name = write(tmp_path / "m.jsonl", '{"ask": " ", "say": "a"}\n{"ask": 5, "say": "a"}\n{"ask": "So?", "say": ""}\n')
    with pytest.raises(UserError) as caught:
        load_task(name, FieldMap(content="ask", references="say"))
    assert "line 1: 'ask' is empty" in str(caught.value)
    assert "line 2: 'ask' must be a string" in str(caught.value)
    assert "line 3: 'say' has an empty answer" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,content\n1,a,b\n", "row 1: 3 cells, but the header has 2"),
        ("id,id\n1,a\n", "two columns are called 'id': rename one"),
        ('id,content\n1,"a', r"not valid CSV: unexpected end of data"),
        ("", "contains no samples"),
        ("id,text\n1,a\n", r"row 1: missing field 'content' \(found id, text\)"),
        ("id,content,references\n1,a,\n", "row 1: 'references' has an empty answer"),
    ],
)
def test_an_invalid_table_is_reported(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_task(write(tmp_path / "m.csv", content))


def test_a_missing_column_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="row 1: missing field 'questoin'; did you mean 'question'?"):
        load_task(write(tmp_path / "m.csv", "question\nWho?\n"), FieldMap(content="questoin"))


def test_a_huge_line_is_refused_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    with path.open("wb") as file:
        file.write(b'{"id": 1, "content": "')
        for _ in range(5):
            file.write(b"x" * LONGEST)
        file.write(b'"}\n{"id": 2, "content": "a"}\n')
    tracemalloc.start()
    with pytest.raises(UserError, match="line 1: longer than 16 MiB; split it, or remove it"):
        load_task(str(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * LONGEST


def test_memory_grows_no_faster_than_the_file(tmp_path: Path) -> None:
    def peak(count: int) -> float:
        lines = (json.dumps({"id": i, "content": f"What is number {i}?", "references": [str(i)]}) for i in range(count))
        name = write(tmp_path / f"{count}.jsonl", "\n".join(lines))
        tracemalloc.start()
        load_task(name)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found / count

    assert peak(4000) < 1.5 * peak(1000)
