"""Every verb, where its output can't be written: one line, a status that isn't 0, and nothing half-written."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.harness.actions.subspaces import make_subspace
from holdfast.harness.cli import main
from holdfast.harness.verbs import VERBS
from tests.harness.actions.pairs import saved_adapter, saved_pair
from tests.harness.actions.test_calibrate import pairs as labelled_pairs

NAMES = [verb.name for group in VERBS.values() for verb in group]
SMALL = "--adapters base --tasks factual_qa --limit 1 --perturbations typos --severity light --encoder lexical"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, examples, and a pair of checkpoints with its subspace and an adapter."""
    folder = tmp_path_factory.mktemp("inputs")
    assert main(["run", *SMALL.split(), "--output_path", str(folder / "run")]) == 0
    (folder / "train.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    labelled_pairs(folder / "pairs.jsonl", 2, 2)
    base, aligned = saved_pair(folder)
    make_subspace(str(base), str(aligned), folder / "s", rank=2)
    saved_adapter(aligned, folder / "adapter")
    return folder


INTO_FOLDER = {
    "run": f"run {SMALL} --output_path OUT",
    "perturb": "perturb --tasks factual_qa --perturbations typos --limit 1 --output_path OUT",
    "train": "train --data IN/train.jsonl --max_steps 1 --output_path OUT",
    "correct": "correct IN/adapter --subspace IN/s --output_path OUT",
    "pocket": "pocket build --output_path OUT",
}
INTO_FILE = {
    "leaderboard": "leaderboard IN/run --output_path OUT",
    "calibrate": "calibrate --pairs IN/pairs.jsonl --encoder lexical --output_path OUT",
    "subspace": "subspace --base IN/llama-base --aligned IN/llama-aligned --rank 1 --output_path OUT",
    "inspect": "inspect pocket-steady --data IN/train.jsonl --plot OUT.png",
}
TO_SCREEN = {
    **{f"{name} --help": f"{name} --help" for name in NAMES},
    "--help": "--help",
    "--version": "--version",
    "ls": "ls perturbations",
    "schema": "schema run.json",
    "leaderboard": "leaderboard IN/run --output_path IN/board.csv",
    "explain": "explain IN/run",
    "inspect": "inspect IN/adapter",
    "drift": "drift IN/train.jsonl IN/train.jsonl --encoder lexical",
}


def call(line: str, inputs: Path, out: Path) -> int:
    words = [word.replace("IN", str(inputs)).replace("OUT", str(out)) for word in line.split()]
    try:
        return main(words)
    except SystemExit as stop:
        return int(stop.code or 0)


def errors(capsys: pytest.CaptureFixture[str]) -> list[str]:
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    said = [line[line.index("holdfast: ") :] for line in captured.err.splitlines() if "holdfast: " in line]
    return [line for line in said if "WARNING" not in line]  # a progress bar may stand before it


@pytest.mark.parametrize("verb", [*INTO_FOLDER, *INTO_FILE])
@pytest.mark.parametrize("where", ["below a file", "where nobody may write", "of the other kind", "a device"])
def test_a_bad_target_is_refused_in_one_line(
    verb: str, where: str, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "folder").mkdir()
    targets = {
        "below a file": tmp_path / "file" / "out",
        "where nobody may write": Path("/proc/holdfast/out"),
        "of the other kind": tmp_path / ("file" if verb in INTO_FOLDER else "folder"),
        "a device": Path("/dev/full"),
    }
    line = {**INTO_FOLDER, **INTO_FILE}[verb]
    line = line.replace("OUT.png", "OUT") if where == "a device" else line
    assert call(line, inputs, targets[where]) == 1
    [message] = errors(capsys)
    assert "can't write" in message or "name a" in message or "--plot" in message
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "folder.png"]


MINE = {
    "lines": b'{"prompt": "a", "completion": "b"}\n',
    "a table": b"run,seconds\n1,2\n",
    "settings": b'{"threshold": 0.5}',
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "weights": b"\x02\0\0\0\0\0\0\0{}",
    "a text": "für später".encode("utf-16"),
}


@pytest.mark.parametrize("content", MINE)
@pytest.mark.parametrize("verb", INTO_FILE)
def test_a_file_of_the_users_is_not_replaced(
    verb: str, content: str, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / ("out.png" if verb == "inspect" else "out")
    mine.write_bytes(MINE[content])
    assert call(INTO_FILE[verb], inputs, tmp_path / "out") == 1
    [message] = errors(capsys)
    assert str(mine) in message
    assert mine.read_bytes() == MINE[content]
    assert list(tmp_path.iterdir()) == [mine]


def test_numbers_of_the_users_beside_a_picture_are_not_replaced(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out.csv").write_text("x,y\n1,2\n")
    assert call(INTO_FILE["inspect"], inputs, tmp_path / "out") == 1
    [message] = errors(capsys)
    assert "out.csv' already exists and was not written by this command" in message
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("verb", INTO_FILE)
def test_a_verb_replaces_what_it_wrote_itself(verb: str, inputs: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert call(INTO_FILE[verb], inputs, tmp_path / "out") == 0
    (tmp_path / "empty").write_bytes(b"")
    if verb in ("leaderboard", "calibrate"):
        assert call(INTO_FILE[verb], inputs, tmp_path / "empty") == 0
        assert (tmp_path / "empty").read_bytes() == (tmp_path / "out").read_bytes()


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("verb", [*INTO_FOLDER, *INTO_FILE])
def test_a_full_disk_is_noticed_before_the_work(
    verb: str, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with files_of_at_most(10):
        assert call({**INTO_FOLDER, **INTO_FILE}[verb], inputs, tmp_path / "new" / "out") == 1
    [message] = errors(capsys)
    assert "can't write" in message
    assert list(tmp_path.iterdir()) == []


FILLED_UP = {
    **{name: (4200, {**INTO_FOLDER, **INTO_FILE}[name]) for name in ("correct", "subspace")},
    "perturb": (4200, "perturb --tasks factual_qa --perturbations typos --output_path OUT"),
    # safetensors, tokenizers, torch and Python each have an error of their own for a full disk
    **{f"a checkpoint of {size} bytes": (size, f"{INTO_FOLDER['train']} --lora r=4") for size in (4200, 50000, 100000)},
    "an optimizer": (50000, f"{INTO_FOLDER['train']} --lora r=1,targets=q_proj --optim adamw_torch"),
    "a result": (4200, f"{INTO_FOLDER['train']} --save_strategy no"),
    "a trained model": (100000, f"{INTO_FOLDER['train']} --full --save_strategy no"),
    "a converted adapter": (50000, f"{INTO_FOLDER['train']} --lora r=4,init=pissa --save_strategy no"),
}


@pytest.mark.parametrize("name", FILLED_UP)
def test_a_disk_that_fills_up_leaves_nothing_half_written(
    name: str, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size, line = FILLED_UP[name]
    with files_of_at_most(size):
        assert call(line, inputs, tmp_path / "out") == 1
    [message] = errors(capsys)
    assert message.startswith("holdfast: can't write")
    assert message.endswith("File too large") or "PytorchStreamWriter" in message
    resumable = ["out.parts"] if name == "subspace" else []
    assert [path.name for path in tmp_path.iterdir()] == resumable


@pytest.mark.parametrize("name", TO_SCREEN)
def test_a_full_standard_output_is_one_line(
    name: str, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        status = call(TO_SCREEN[name], inputs, tmp_path)
    assert status == (2 if name.startswith("check") else 1)  # 1 means that a candidate failed its check
    monkeypatch.undo()
    assert errors(capsys) == ["holdfast: can't write to standard output: No space left on device"]


def test_an_internal_error_is_one_line_with_a_way_to_report_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("holdfast.harness.verbs.Verb.parser", lambda _: 1 / 0)
    assert main(["ls"]) == 1
    [message] = errors(capsys)
    assert "internal error (ZeroDivisionError: division by zero): please report it" in message
    monkeypatch.setenv("HOLDFAST_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["ls"])
