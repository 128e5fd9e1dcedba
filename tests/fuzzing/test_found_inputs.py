"""Inputs that crashed, hung or filled the memory once, by parser."""

import json
import os
from pathlib import Path

import pytest

from holdfast.errors import UserError, printable
from holdfast.harness.models.adapter_checks import check_adapter
from holdfast.harness.models.checkpoints import digest_of, find_local
from holdfast.harness.store.config import CONFIG_FILE
from holdfast.reading import parse_json, read_bytes, read_text
from holdfast.tasks import load_task
from holdfast.tasks.templates import evaluate, render
from holdfast.training import pocket
from holdfast.yaml_file import read_yaml
from tests.fuzzing.parsers import parsers

LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)
MERGES = "a0: &a0 {k0: 1, k1: 1, k2: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{','.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 9)
)
YAML = {
    "date": ("a: 2024-99-99", "a value doesn't fit its type"),
    "number": ("a: 0x_", "a value doesn't fit its type"),
    "timestamp": ("a: !!timestamp x", "a value doesn't fit its type"),
    "truth value": ("a: !!bool x", "a value doesn't fit its type"),
    "digits": ("a: " + "9" * 5000, "a value doesn't fit its type"),
    "deep": ("a: " + "[" * 5000, "nested too deeply"),
    "itself": ("a: &a [*a]", "contains itself"),
    "aliases": (LAUGHS, "aliases expand to more than"),
    "merges": (MERGES, "merge keys expand to more than"),
    "NUL": ('a: "x\\0y"', "contains NUL"),
    "number as name": ("1: 2", "must be text, got 1"),
    "object": ("a: !!python/object/apply:os.system [x]", "could not determine a constructor"),
    "large": ("a: " + "x" * 2**20, "larger than the limit"),
}


@pytest.mark.parametrize("name", YAML)
def test_yaml(name: str, tmp_path: Path) -> None:
    text, message = YAML[name]
    (tmp_path / "f.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        read_yaml(tmp_path / "f.yaml", CONFIG_FILE)


def test_plain_aliases_are_read(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("a: &a {b: [1, 2]}\nc: *a\nd: {<<: *a, e: 1}")
    assert read_yaml(tmp_path / "f.yaml", CONFIG_FILE)["d"] == {"b": [1, 2], "e": 1}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, "", "nul", b"\xff"])
def test_json(text: str | bytes) -> None:
    with pytest.raises(UserError, match="^here: not valid JSON"):
        parse_json(text, "here")


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    cases = {
        Path("/dev/zero"): "is a device or a pipe",
        tmp_path / "pipe": "is a device or a pipe",
        tmp_path: "is a directory",
        tmp_path / "link": "does not exist",
        Path("a\0b"): "can't read file 'a.x00b'",
        Path("x" * 5000): "can't read",
    }
    for path, message in cases.items():
        with pytest.raises(UserError, match=message):
            read_bytes(path)


def test_text_that_is_not_utf_8_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"one\ntwo \xff\n")
    with pytest.raises(UserError, match="line 2: not UTF-8 .byte 0xff."):
        read_text(tmp_path / "f")


TEMPLATES = {
    "recursion": ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "calls itself too deeply"),
    "nesting": ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nests or calls itself too deeply"),
    "product": ("{{ 'a' * 10**10 }}", "needs more than 1024 MiB"),
    "doubling": (
        "{% set n = namespace(x='aa') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "needs more than 1024 MiB",
    ),
    "width": ("{{ content|center(10**10) }}", "needs more than 1024 MiB"),
    "format": ("{{ '%0999999999999d'|format(1) }}", "needs more than 1024 MiB"),
    "class": ("{{ content.__class__ }}", "unsafe"),
    "filter": ("{{ content.encode('x') }}", "unknown encoding"),
}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("fill", [render, evaluate])
def test_templates(name: str, fill: object) -> None:
    template, message = TEMPLATES[name]
    with pytest.raises(UserError, match=message):
        fill(template, {"content": "abc"}, "prompt")  # type: ignore[operator]


def test_a_template_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.tasks.templates._SECONDS", 0.2)
    loops = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(UserError, match=r"prompt: the template takes longer than 0.2 s"):
        render(loops, {"content": "abc"}, "prompt")


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    for name, content in parsers()["adapter"].files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def configure(adapter: Path, **changes: object) -> None:
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_modules": "(["}, "is not a regular expression"),
        ({"target_modules": 5}, "must be a pattern or a list of module names"),
        ({"target_modules": [1]}, "must be a pattern or a list of module names"),
        ({"rank_pattern": {"([": 4}}, "is not a regular expression"),
        ({"rank_pattern": {"a": "x"}}, "must map module names to numbers"),
        ({"alpha_pattern": [1]}, "must map module names to numbers"),
    ],
)
def test_adapter_configurations(adapter: Path, changes: dict[str, object], message: str) -> None:
    configure(adapter, **changes)
    with pytest.raises(UserError, match=message):
        check_adapter("a", adapter)


def test_a_pattern_without_end_is_refused(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.harness.models.adapter_checks._SECONDS", 0.2)
    configure(adapter, target_modules="(.*.*.*.*.*.*.*)*x")
    with pytest.raises(UserError, match="is refused: matching it takes longer"):
        check_adapter("a", adapter)


def test_weights_linked_to_a_device_are_refused(adapter: Path) -> None:
    weights = adapter / "adapter_model.safetensors"
    weights.unlink()
    weights.symlink_to("/dev/zero")
    for read in (digest_of, lambda folder: check_adapter("a", folder)):
        with pytest.raises(UserError, match="is a device or a pipe"):
            read(adapter)


def test_other_files_of_an_adapter_may_be_anything(adapter: Path) -> None:
    before = digest_of(adapter)
    os.mkfifo(adapter / "pipe")
    (adapter / "dangling").symlink_to("nowhere")
    assert digest_of(adapter) == before


@pytest.mark.parametrize("name", ["~nosuchuser/x", "x" * 5000, "a\0b", "http://127.0.0.1:9/x"])
def test_names_that_no_folder_has(name: str) -> None:
    assert find_local(name) is None


def test_what_a_terminal_obeys_is_escaped() -> None:
    hostile = "\x1b[2J \x9b31m \u202e \u2066 \r \n \x85 \u2028 \ud800 é 👩‍👩‍👧"
    shown = r"\x1b[2J \x9b31m \u202e \u2066 \r \n \x85 \u2028 \ud800 é 👩‍👩‍👧"
    assert printable(hostile) == shown
    assert str(UserError(hostile)) == shown
    assert printable("a\nb", keep="\n") == "a\nb"


def test_a_place_of_thousands_of_digits(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text(json.dumps({"q": "a", "n": "1" * 5000}) + "\n")
    (tmp_path / "t.yaml").write_text(
        'task: t\ndataset_path: d.jsonl\ndoc_to_content: q\ndoc_to_target: "{{ n }}"\ndoc_to_choice: ["a", "b"]\n'
    )
    with pytest.raises(UserError, match="is not one of the choices"):
        load_task(str(tmp_path / "t.yaml"))


def test_the_pocket_models_keep_their_digests() -> None:
    folder = pocket.resolve("pocket-base")
    assert folder is not None
    assert digest_of(folder).startswith("2dedd38fd3c2e9c3")
