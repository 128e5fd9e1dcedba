"""Published summarisation data in their layouts."""

import json
from pathlib import Path

import pytest

from holdfast.errors import UserError
from holdfast.tasks import load_task

ROWS = {
    "cnn_dailymail": {"article": "A long story.", "highlights": "A story .\nLong .", "id": "x"},
    "xsum": {"document": "A long story.", "summary": "A story.", "id": "7"},
    "samsum": {"id": "13", "dialogue": "Ann: Hi!\r\nBen: Hello.", "summary": "They greet."},
    "dialogsum": {"fname": "test_0_1", "dialogue": "#Person1#: Hi!", "summary": "They greet.", "topic": "greeting"},
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("ending", [".jsonl", ".csv"])
def test_a_data_set_is_read_as_it_is_published(name: str, ending: str, tmp_path: Path) -> None:
    row, file = ROWS[name], tmp_path / f"data{ending}"
    if ending == ".csv":
        cells = ['"{}"'.format(value.replace('"', '""')) for value in row.values()]
        file.write_text(",".join(row) + "\n" + ",".join(cells) + "\n", newline="")
    else:
        file.write_text(json.dumps(row))
    task = load_task(f"{name}={file}")
    [sample] = task.samples
    content, reference = (value for key, value in row.items() if key not in ("id", "fname", "topic"))
    assert sample.id == row.get("id", row.get("fname"))
    assert sample.content.split() == content.split()
    assert sample.references[0].split() == reference.split()
    assert task.render(sample, sample.content).startswith("Summarise this ")
    assert task.metrics[0] == "rouge"


def test_dialogsum_has_several_references(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    common = {"dialogue": "#Person1#: Hi!"}
    rows = [common | {f"summary{i}": f"Summary {i}." for i in (1, 2, 3)}, common | {"summaries": ["One.", "Two."]}]
    file.write_text("\n".join(map(json.dumps, rows)))
    found = load_task(f"dialogsum={file}").samples
    assert [sample.references for sample in found] == [("Summary 1.", "Summary 2.", "Summary 3."), ("One.", "Two.")]
    assert [sample.id for sample in found] == ["1", "2"]  # without ids of their own, they are numbered


def test_broken_rows_are_named(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text('{"dialogue": "Hi", "summary": ""}\n{"dialogue": "Hi", "summary": ""}')
    with pytest.raises(UserError, match="has 2 mistakes: line 1, line 2: the summary is empty"):
        load_task(f"dialogsum={file}")
    file.write_text('{"dialogue": "Hi"}\n{"dialogue": "Hi"}')
    with pytest.raises(UserError, match=r"line 1, line 2: dialogsum needs the column 'summary' \(found dialogue\)"):
        load_task(f"dialogsum={file}")
