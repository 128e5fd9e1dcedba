"""The command line as its users meet it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.harness.cli import main
from holdfast.harness.verbs import VERBS

HEAVY = ("torch", "spacy", "transformers", "peft", "pandas", "scipy", "ot")


def in_new_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["ls"], ["ls", "tasks"], ["--version"]])
def test_help_and_ls_import_nothing_heavy(arguments: list[str]) -> None:
    imported = in_new_process(
        "import sys\nfrom holdfast.harness.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print('IMPORTED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert imported.endswith("IMPORTED []\n")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("tasks", ["factual_qa", "dialogue_summary", "financial_sentiment", "multilingual_qa", "attack_success"]),
        ("perturbations", ["identity", "typos", "char_deletion", "word_deletion", "synonyms", "paraphrase", "spacing"]),
        ("perturbations", ["punctuation", "confusables", "emoji", "case"]),
        ("metrics", ["segment_drift", "exact_match", "token_f1", "rouge", "policy", "entity_recall"]),
        ("encoders", ["minilm", "lexical", "model"]),
        ("methods", ["s2r2", "flat_lora", "sam_ab", "consistency", "csulora", "safelora"]),
        ("backends", ["hf"]),
    ],
)
def test_ls_names_what_there_is(kind: str, names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", kind]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert set(names) <= set(listed)


SMALL = "--adapters base --tasks factual_qa --limit 2 --encoder lexical --perturbations typos --severity light".split()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ls", "task"], "unknown kind 'task'; did you mean 'tasks'?"),
        (["run", *SMALL, "--tasks", "factual_q"], "unknown task 'factual_q'; did you mean 'factual_qa'?"),
        (["run", *SMALL, "--perturbations", "typo"], "unknown perturbation 'typo'; did you mean 'typos'?"),
        (["run", *SMALL, "--perturbations", "typos@strong"], "unknown severity 'strong'"),
        (["run", *SMALL, "--severity", "hard"], "unknown severity 'hard'"),
        (["run", *SMALL, "--encoder", "minlm"], "unknown encoder 'minlm'; did you mean 'minilm'?"),
        (["run", *SMALL, "--model", "hff"], "unknown backend 'hff'; did you mean 'hf'?"),
        (["run", *SMALL, "--adapters", "./none"], "adapter './none' not found"),
        (["run", *SMALL, "--limit", "0"], "limit: "),
        (["run", *SMALL, "--batch_size", "-2"], "batch_size: "),
        (
            ["run", *SMALL, "--model_args", "dtype=float32"],
            "pretrained is missing; name the base model, as in pretrained=pocket-aligned",
        ),
        (["run", *SMALL, "--model_args", "pretrained=@x"], "model '@x' not found"),
        (["run", *SMALL, "--model_args", "pretrained=pocket-base,max_length=abc"], "max_length must be a number"),
        (
            ["run", *SMALL, "--model_args", "pretrained=pocket-base,dtyp=x"],
            "unknown argument 'dtyp' for the hf backend; did you mean 'dtype'?",
        ),
        (["run", *SMALL, "--spacy_pipeline", "xx_none"], "spaCy pipeline 'xx_none' is not installed"),
        (["run", *SMALL, "--output_path", "file"], "can't write to --output_path 'file'"),
        (["run", "--config", "none.yaml"], "configuration file 'none.yaml' does not exist"),
        (["leaderboard", "."], "is not a run"),
        (["validate", "none.yaml"], "configuration file 'none.yaml' does not exist"),
    ],
)
def test_a_mistake_is_one_clear_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(arguments) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert message in said[0]
    assert not list(tmp_path.rglob("samples.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "--perturbation", "typos"],
            "holdfast run: unknown --perturbation typos: did you mean --perturbations?",
        ),
        (["perturb", "prompt.txt"], "holdfast perturb: can't read 'prompt.txt'; a text is read from standard input"),
        (["perturb", "--tsks", "a"], "holdfast perturb: unknown --tsks: did you mean --tasks?"),
        (["perturb", "verify", "pack", "--seed", "4"], "verify takes one DIR and only the flag --tasks"),
        (["perturb", "verify"], "verify takes one DIR"),
        (["drift", "a.txt"], "the following arguments are required: B.txt; holdfast drift --help"),
        (["rnu"], "unknown command 'rnu': did you mean run?"),
        (["calibrat"], "did you mean calibrate?"),
        (["--adapters", "base"], "unknown command '--adapters'"),
        (["schema", "rum.json"], "did you mean run.json?"),
        (["run", "--adapters", "base", "./new"], "unexpected ./new: lists are separated by commas"),
        (["run", "--adapters", "base", "./new"], "as in --adapters base,./new"),
        (["run", "--tasks", "factual_qa", "mine.jsonl", "--limit", "2"], "as in --tasks factual_qa,mine.jsonl"),
        (
            ["run", "--model", "pretrained=./base"],
            "--model is the backend (hf, vllm, api); write --model_args pretrained",
        ),
        (["run", "--limt", "3"], "unknown --limt 3: did you mean --limit?"),
    ],
)
def test_wrong_arguments_are_one_line_that_says_what_to_do(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert message in said[0]


def test_help_groups_the_verbs_by_what_people_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["evaluate:", "decide:", "train and correct:", "tools:"]
    assert max(map(len, lines)) <= 100
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize("verb", [verb.name for verbs in VERBS.values() for verb in verbs])
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: holdfast {verb}")


def test_the_help_of_run_groups_its_flags_and_ends_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["run", "--help"])
    shown = capsys.readouterr().out
    places = [shown.index(f"\n{group}:\n") for group in ("model", "tasks", "perturbations", "scoring", "output")]
    assert places == sorted(places)
    assert shown.index("\ndistributed:\n") > places[-1]
    assert shown.split("examples:")[1].count("holdfast run") == 2


@pytest.mark.parametrize("flag", ["--output_path", "--output-path", "--out", "--output_dir", "--output-dir"])
def test_where_results_go_may_be_spelled_in_many_ways(flag: str, tmp_path: Path) -> None:
    assert main(["run", *SMALL, "--limit", "1", flag, str(tmp_path / "x"), "--model_args", "pocket-aligned"]) == 0
    config = json.loads((tmp_path / "x" / "run.json").read_text())["config"]
    assert config["model_args"] == {"pretrained": "pocket-aligned"}


def test_run_writes_its_files_and_prints_the_table(tmp_path: Path) -> None:
    out = tmp_path / "x"
    command = [sys.executable, "-m", "holdfast.harness.cli", "run", *SMALL, "--output_path", str(out), "--log_samples"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert printed.returncode == 0
    assert "Leaderboard" in printed.stdout
    assert str(out) in printed.stdout
    assert printed.stderr == ""
    assert sorted(p.name for p in out.iterdir()) == [
        *("breakdown.csv", "cells.csv", "failures.csv", "leaderboard.csv", "run.json", "samples.jsonl")
    ]
    assert len((out / "samples.jsonl").read_text("utf-8").splitlines()) == 6


def test_flags_go_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(
        f"adapters: [base]\ntasks: [factual_qa]\nperturbations: [typos]\nencoder: lexical\nlimit: 9\noutput_path: {tmp_path}/x\n"
    )
    assert main(["run", "--config", str(config), "--limit", "1", "--severity", "0.1"]) == 0
    saved = json.loads((tmp_path / "x" / "run.json").read_text())["config"]
    assert (saved["limit"], saved["severity"], saved["encoder"]) == (1, ["0.1"], "lexical")


def test_validate_counts_without_running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("adapters: [base]\ntasks: [factual_qa]\nperturbations: [typos]\nencoder: lexical\nlimit: 3\n")
    assert main(["validate", str(config)]) == 0
    assert "12 answers to score" in capsys.readouterr().out
    config.write_text("adapters: [base]\ntasks: [factual_qa]\nperturbation: [typos]\n")
    assert main(["validate", str(config)]) == 1
    assert "unknown setting 'perturbation'; did you mean 'perturbations'?" in capsys.readouterr().err


def test_validate_estimates_the_size_of_a_large_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": str(i), "content": f"Who wrote letter {i}? {'' if i % 4 else i * 2}"} for i in range(3000)]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows)))
    flags = ["--adapters", "base", "--perturbations", "typos@0.1", "--encoder", "lexical"]
    assert main(["validate", str(tmp_path / "q.jsonl"), *flags]) == 0
    large = capsys.readouterr().out
    assert "task q: 3000 samples" in large
    assert "at most 9000 answers to score, 9000 to generate" in large
    assert large.endswith("estimated from 1000 samples of a task\n")
    assert main(["validate", str(tmp_path / "q.jsonl"), *flags, "--limit", "1000"]) == 0
    assert capsys.readouterr().out.endswith("(0 prompts unchanged by their perturbation)\n")


def test_a_perturbation_may_be_written_with_spaces(tmp_path: Path) -> None:
    assert main(["run", *SMALL, "--perturbations", "typos @ 0.1, case", "--output_path", str(tmp_path / "x")]) == 0


def test_leaderboard_merges_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(tmp_path / name) for name in ("one", "two")]
    for run, limit in zip(runs, "12", strict=True):
        main(["run", *SMALL, "--output_path", run, "--limit", limit])
    target = tmp_path / "all" / "board.csv"
    assert main(["leaderboard", *runs, "--output_path", str(target)]) == 0
    assert "Leaderboard" in capsys.readouterr().out
    with target.open() as lines:
        assert [row["run"] for row in csv.DictReader(lines)] == runs


def test_a_leaderboard_can_carry_the_adapters_geometry(tmp_path: Path) -> None:
    run, target = str(tmp_path / "run"), tmp_path / "board.csv"
    main(["run", *SMALL, "--adapters", "base,pocket-steady", "--adapter_scales", "0.5,1", "--output_path", run])
    assert main(["leaderboard", run, "--geometry", "--output_path", str(target)]) == 0
    with target.open() as lines:
        norms = {row["adapter"]: row["update_norm"] for row in csv.DictReader(lines)}
    assert norms["base"] == ""
    assert float(norms["pocket-steady@1"]) == pytest.approx(2 * float(norms["pocket-steady@0.5"]), rel=1e-4)


@pytest.mark.parametrize(("file", "field"), [("run.json", "schema_version"), ("samples.jsonl", "scores")])
def test_schema_prints_what_a_file_holds(file: str, field: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", file]) == 0
    assert field in json.loads(capsys.readouterr().out)["properties"]


def test_kill_9_loses_nothing(tmp_path: Path) -> None:
    """The real thing, once: a process killed while it generates, and the same command again."""
    command = [sys.executable, "-m", "holdfast.harness.cli", "run", *SMALL, "--batch_size", "1", "--limit", "30"]
    samples = tmp_path / "x" / "samples.jsonl"
    process = subprocess.Popen(
        [*command, "--output_path", str(tmp_path / "x")], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    while process.poll() is None and not (samples.exists() and samples.read_bytes().count(b"\n") >= 5):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stored = samples.read_bytes()
    assert 5 <= stored.count(b"\n") < 90
    subprocess.run([*command, "--output_path", str(tmp_path / "x")], check=True, capture_output=True)
    content = samples.read_bytes()
    assert content.startswith(stored[: stored.rindex(b"\n") + 1])
    keys = [json.loads(line)["key"] for line in content.splitlines()]
    assert len(keys) == len(set(keys)) == 90


def test_validate_shows_the_first_prompts_of_a_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"Who is number {i}?,{i},{'odd' if i % 2 else 'even'}\n" for i in range(8))
    (tmp_path / "q.csv").write_text(f"question,answer,parity\n{rows}")
    flags = ["--content", "question", "--references", "answer", "--group", "parity", "--limit", "4"]
    assert main(["validate", str(tmp_path / "q.csv"), *flags]) == 0
    printed = capsys.readouterr().out
    assert "task q: 4 of 8 samples, in proportion to group (even 2, odd 2)" in printed
    assert [line for line in printed.splitlines() if "Who" in line] == [f"  Who is number {i}?" for i in range(3)]
    (tmp_path / "t.yaml").write_text("task: t\ndataset_path: q.csv\ndoc_to_text: 'Q: {{question}}'\n")
    assert main(["validate", str(tmp_path / "t.yaml")]) == 0
    assert "  Q: Who is number 0?" in capsys.readouterr().out


def test_validate_counts_the_labels_of_a_classification(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "news.txt").write_text(
        "Profit rose@positive\nLoss widened@negative\nProfit fell@negative\nUp@positve\n"
    )
    assert main(["validate", str(tmp_path / "news.txt")]) == 0
    assert "task news: 4 samples; labels: positive 1, negative 2, positve 1" in capsys.readouterr().out


def test_fields_are_only_mapped_where_there_is_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--tasks", "factual_qa", "--content", "question"]) == 1
    assert "--content is about data files, and none of --tasks is one" in capsys.readouterr().err
