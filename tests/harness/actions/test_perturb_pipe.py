"""`holdfast perturb` as a pipe."""

import io
import sys

import pytest

from holdfast.harness.cli import main
from holdfast.harness.results.marking.word_diff import shown_edits
from holdfast.perturbations import Edit, Edits


class Piped:
    """Standard input, as bytes."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def run(content: bytes, *options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", Piped(content))
        status = main(["perturb", *options])
        return status, *capsys.readouterr()

    return run


def test_a_text_comes_out_perturbed(pipe) -> None:
    status, out, _ = pipe(b"two short lines\nof plain text\n", "--perturbations", "case@1")
    assert (status, out) == (0, "TWO SHORT LINES\nOF PLAIN TEXT\n")


def test_a_missing_last_line_break_stays_missing(pipe) -> None:
    assert pipe(b"plain", "--perturbations", "case@1")[1] == "PLAIN"


def test_the_same_seed_gives_the_same_text(pipe) -> None:
    asked = (b"what is the capital of France?\n", "--perturbations", "typos@0.1", "--seed")
    assert pipe(*asked, "1") == pipe(*asked, "1") != pipe(*asked, "2")


def test_identity_gives_the_text_back(pipe) -> None:
    assert pipe(b"plain text\n", "--perturbations", "identity")[1] == "plain text\n"


def test_what_finds_nothing_to_change_says_so(pipe) -> None:
    status, out, said = pipe(b"plain text\n", "--perturbations", "romanise@light")
    assert (status, out) == (0, "plain text\n")
    assert said == "holdfast: WARNING: romanise@light found nothing to change\n"


def test_several_perturbations_are_told_apart(pipe) -> None:
    out = pipe(b"plain text\n", "--perturbations", "case@1,identity", "--repeats", "2")[1]
    parts = ["identity@0 <==\nplain text", "case@1 <==\nPLAIN TEXT", "case@1, repeat 1 <==\nPLAIN TEXT"]
    assert out == "".join(f"==> {part}\n" for part in parts)


def test_the_edits_can_be_shown(pipe) -> None:
    out = pipe(b"ab\n", "--perturbations", "case@1", "--diff")[1]
    assert out == "[-a-]{+A+}[-b-]{+B+}\n"


def test_edits_are_in_colour_on_a_terminal() -> None:
    shown = shown_edits(Edits("a b", (Edit(0, "a", ""), Edit(3, "", "c"))), colour=True)
    assert shown == "\x1b[9;31ma\x1b[0m b\x1b[32mc\x1b[0m"


def test_tasks_are_shown_variant_by_variant(pipe) -> None:
    out = pipe(b"", "--tasks", "factual_qa", "--perturbations", "case@1", "--limit", "2")[1]
    assert out.count("==> factual_qa, ") == 2


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"\xff", ["--perturbations", "typos"], "standard input is not UTF-8 (byte 1)"),
        (b"x", ["--perturbations", "tipos"], "unknown perturbation 'tipos'; did you mean 'typos'"),
        (b"x", ["--perturbations", ""], "perturbations: name at least one"),
        (b"x", ["--perturbations", "typos", "--out", "pack"], "name them with --tasks"),
        (b"x", ["--perturbations", "typos", "--search", "greedy:3"], "--search greedy and --paraphraser need a model"),
        (b"x", ["--perturbations", "typos", "--search", "best"], "search: use random:N or greedy:N"),
        (b"x", ["--perturbations", "typos@0.1", "--severity", "0.2,-3"], "unknown severity '-3'"),
        (b"x", ["--perturbations", "typos@2"], "unknown severity '2'"),
        (b"x", ["--perturbations", "typos", "--severity", "bogus"], "holdfast: --severity: unknown severity 'bogus'"),
        (
            b"x",
            ["--perturbations", "typos@0.05", "--severity", "light"],
            "--severity light has no effect, since each of",
        ),
        (b"", ["--perturbations", "typos"], "standard input is empty"),
        (b" \n\n", ["--perturbations", "typos"], "standard input is empty"),
    ],
)
def test_mistakes_are_one_line(pipe, content: bytes, options: list[str], message: str) -> None:
    status, _, err = pipe(content, *options)
    assert status == 1
    assert message in err
