"""The robustness card: what it says, where it goes, and what verifying finds."""

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from huggingface_hub import ModelCard

from holdfast.errors import UserError
from holdfast.harness.actions.sharing.carding import verify_card, write_card
from holdfast.harness.cli import main
from holdfast.harness.results.export.card_section import END, START, put_into


@pytest.fixture
def card(hostile: Path, tmp_path: Path) -> Path:
    """The file of a card of the adapter `old`, which answers everything rightly."""
    return write_card(hostile, "old", output_path=tmp_path / "card")[0]


def test_the_card_says_what_was_measured(card: Path, hostile: Path) -> None:
    content = json.loads(card.read_text())
    manifest = json.loads((hostile / "run.json").read_text())
    numbers = {(each["condition"], each["name"]): each for each in content["numbers"]}
    assert numbers["typos@light", "exact_match"]["value"] == 1
    assert numbers["typos@light", "exact_match"]["low"] == pytest.approx(0.6096, abs=1e-3)  # Wilson, 6 of 6
    assert numbers["typos@light", "break_rate"]["value"] == 0
    assert content["worst"] == []  # nothing was lost
    assert content["samples_sha256"] == manifest["samples_sha256"]
    assert content["base_digest"] == manifest["base_digest"]
    assert content["adapter_digest"] == next(a["digest"] for a in manifest["adapters"] if a["name"] == "old")
    assert "--perturbations typos,spacing --severity light" in content["command"]


def test_the_card_matches_the_published_schema(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["schema", "card"]) == 0
    jsonschema.validate(json.loads(card.read_text()), json.loads(capsys.readouterr().out))


def test_a_card_is_verified_against_its_run(card: Path, hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", "verify", str(card), "--run", str(hostile)]) == 0
    assert "is verified" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"value": 1.0', '"value": 0.99', "typos@light exact_match: value is 0.99 on the card, 1 in the run"),
        ('"samples": 6', '"samples": 7', "samples is 7 on the card, 6 in the run"),
        ('"break_threshold": 0.5', '"break_threshold": 0.9', "break_threshold is 0.9 on the card"),
        ('"adapter_digest": "', '"adapter_digest": "0', "adapter_digest is '0"),
        ('"samples_sha256": "', '"samples_sha256": "0', "samples_sha256 is '0"),
    ],
)
def test_what_differs_is_named(
    card: Path, hostile: Path, old: str, new: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = card.read_text()
    assert old in text
    card.write_text(text.replace(old, new))
    assert main(["card", "verify", str(card), "--run", str(hostile)]) == 1
    assert named in capsys.readouterr().out


def test_a_number_left_out_is_named(card: Path, hostile: Path) -> None:
    content = json.loads(card.read_text())
    [left_out] = [
        i for i, each in enumerate(content["numbers"]) if each["name"] == "delta" and "typos" in each["condition"]
    ]
    del content["numbers"][left_out]
    card.write_text(json.dumps(content))
    assert verify_card(card, hostile) == ["numbers: trains typos@light delta is missing from the card"]


def test_changed_answers_of_the_run_are_found(card: Path, hostile: Path, tmp_path: Path) -> None:
    run = shutil.copytree(hostile, tmp_path / "run")
    text = (run / "samples.jsonl").read_text("utf-8", "surrogatepass")
    (run / "samples.jsonl").write_text(text.replace("10:15", "10:16", 1), "utf-8")
    with pytest.raises(UserError, match="doesn't match the SHA-256"):
        verify_card(card, run)


@pytest.mark.parametrize("content", ["{}", "no JSON", '{"title": "Holdfast robustness card", "schema_version": 9}'])
def test_what_is_no_card_is_one_line(tmp_path: Path, hostile: Path, content: str) -> None:
    (tmp_path / "holdfast.json").write_text(content)
    with pytest.raises(UserError, match="is not a robustness card of this version"):
        verify_card(tmp_path / "holdfast.json", hostile)


def test_an_unknown_adapter_names_the_nearest(hostile: Path) -> None:
    with pytest.raises(UserError, match="no adapter 'odl'; did you mean 'old'"):
        write_card(hostile, "odl")


def test_files_of_others_are_not_replaced(hostile: Path, tmp_path: Path) -> None:
    (tmp_path / "holdfast.json").write_text('{"mine": 1}')
    with pytest.raises(UserError, match="was not written by this command"):
        write_card(hostile, "old", output_path=tmp_path)
    assert (tmp_path / "holdfast.json").read_text() == '{"mine": 1}'
    assert not (tmp_path / "holdfast.md").exists()


def test_a_model_card_keeps_everything_but_the_section(hostile: Path, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    before = "---\nlicense: apache-2.0\nbase_model: x/y\n---\n# Mine\n\nText.\n"
    readme.write_text(before)
    write_card(hostile, "old", output_path=tmp_path, into=readme)
    once = readme.read_text()
    assert once.startswith(before)
    assert ModelCard.load(readme).data.license == "apache-2.0"
    readme.write_text(once + "\nMore of mine.\n")
    write_card(hostile, "new", output_path=tmp_path, into=readme)
    twice = readme.read_text()
    assert twice.startswith(before)
    assert twice.endswith(f"{END}\n\nMore of mine.\n")
    assert twice.count(START) == 1
    assert "| trains | typos light | 6 | exact\\_match | 0.000 [0.000, 0.390]" in twice


def test_line_ends_of_a_model_card_are_kept() -> None:
    section = f"{START}\nnew\n{END}\n"
    assert put_into("a\r\nb\r\n", section, "f") == f"a\r\nb\r\n\r\n{START}\r\nnew\r\n{END}\r\n"
    assert put_into(f"a\n{START}\nold\n{END}\nb\n", section, "f") == f"a\n{section}b\n"
    assert put_into("a", section, "f") == f"a\n\n{section}"


@pytest.mark.parametrize("text", [START, END, f"{END}{START}", f"{START}{START}{END}"])
def test_damaged_marks_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="repair or delete"):
        put_into(text, f"{START}\n{END}\n", "README.md")


@pytest.mark.parametrize(
    "words",
    [["run"], ["run", "more", "--adapter", "a"], ["verify", "card.json"], ["verify", "a", "b", "--run", "run"]],
)
def test_mixed_up_arguments_show_how_it_goes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["card", *words])
    assert stop.value.code == 2
    assert "as in" in capsys.readouterr().err
