"""Runs on a fake engine: what is generated and stored, and how a killed run resumes."""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast import Results, evaluate
from holdfast.errors import UserError
from holdfast.harness.results.leaderboard import leaderboard
from holdfast.harness.store.config import make_config
from holdfast.metrics import sample_metric
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake, Killed
from tests.harness.manifests import change_manifest

Evaluate = Callable[..., Results]

FIELDS = (
    "key adapter adapter_digest task sample perturbation severity repeat edit_rate edits meaning prompt output tokens finish "
    "truncated scores reason encoder"
).split()


def lines(results: Results) -> list[dict]:
    return [json.loads(line) for line in (results.path / "samples.jsonl").read_text("utf-8").splitlines()]


def test_every_adapter_answers_every_variant(run: Evaluate) -> None:
    results = run(Fake(), repeats=2)
    rows = lines(results)
    per_adapter = 5 * (1 + 1 + 2 * 2 * 2)  # clean, identity, two perturbations x two severities x two repeats
    assert Counter(row["adapter"] for row in rows) == {"base": per_adapter, "other": per_adapter}
    assert len({row["key"] for row in rows}) == len(rows)
    assert all([name for name in row if name != "failure"] == FIELDS for row in rows)  # which only wrong answers have
    for row in rows:
        assert {"token_f1", "exact_match", "answer_rate"} <= row["scores"].keys()
        assert ("max_drift" in row["scores"]) == (row["perturbation"] != "clean")


def test_tables_have_a_row_per_cell_or_per_adapter(run: Evaluate) -> None:
    results = run(Fake())
    cells = set(results.breakdown[["adapter", "perturbation", "severity"]].itertuples(index=False, name=None))
    per_adapter = {("clean", ""), ("identity", "0")} | {
        (name, severity) for name in ("typos", "word_deletion") for severity in ("light", "heavy")
    }
    assert cells == {(adapter, *cell) for adapter in ("base", "other") for cell in per_adapter}
    expected = (
        "adapter task perturbation severity n clean perturbed delta delta_low delta_high max_drift tail_drift mean_drift "
        "global_drift hidden_drift noise_floor"
    )
    assert set(expected.split()) <= set(results.breakdown)
    assert list(results.leaderboard["adapter"]) == ["base", "other"]
    assert {"answer_rate", "mean_length", "pdr", "noise_floor"} <= set(results.leaderboard)


def test_equal_requests_are_generated_once(run: Evaluate, task: Task) -> None:
    twin = Task("twin", task.samples, task.metrics)
    fake = Fake()
    results = run(fake, tasks=[task, twin], perturbations="word_deletion@0.9")
    asked = Counter((r.adapter, r.prompt, r.replicate) for r in fake.asked)
    assert set(asked.values()) == {1}
    assert len(fake.asked) < len(lines(results))


def test_an_unchanged_prompt_reuses_the_clean_answer(run: Evaluate) -> None:
    fake = Fake()
    task = Task("numbers", (Sample("1", "12345"),), ("answer_rate",))
    rows = lines(run(fake, tasks=[task], perturbations="typos", adapters="base"))
    assert len(rows) == 4
    assert len(fake.asked) == 2  # clean and identity
    assert {row["scores"].get("max_drift", 0.0) for row in rows} == {0.0}


def test_identity_is_generated_again_in_different_batches(run: Evaluate) -> None:
    fake = Fake(size=4)
    run(fake, perturbations="identity", adapters="base")
    neighbours = [{request.prompt for request in batch} for batch in fake.engines[0].batches]
    clean, again = neighbours[:2], neighbours[2:]
    assert set.union(*clean) == set.union(*again)
    assert not [batch for batch in again if batch in clean]


def test_equal_runs_give_equal_bytes(run: Evaluate, tmp_path: Path) -> None:
    first, second = (run(Fake(), output_path=str(tmp_path / name)) for name in ("one", "two"))
    for name in ("samples.jsonl", "breakdown.csv", "cells.csv", "leaderboard.csv"):
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes()


@pytest.mark.parametrize("dies_at", [0, 1, 3, 6, 9])
def test_a_killed_run_resumes_where_it_stopped(run: Evaluate, tmp_path: Path, dies_at: int) -> None:
    at_once, killed, rest = Fake(), Fake(dies_at=dies_at), Fake()
    whole = run(at_once, output_path=str(tmp_path / "whole"))
    with pytest.raises(Killed):
        run(killed)
    resumed = run(rest)
    assert killed.asked + rest.asked == at_once.asked
    for name in ("samples.jsonl", "breakdown.csv", "cells.csv", "leaderboard.csv"):
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes()


@pytest.mark.parametrize("seed", range(10))
def test_a_truncated_file_is_completed_to_the_same_bytes(run: Evaluate, seed: int) -> None:
    whole = run(Fake(), log_samples=True)
    path = whole.path / "samples.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[: random.Random(seed).randrange(len(content))])
    change_manifest(whole.path, status="running")
    run(Fake(), log_samples=True)
    assert path.read_bytes() == content


def test_a_complete_run_generates_nothing_again(run: Evaluate) -> None:
    run(Fake())
    again = Fake()
    run(again)
    assert again.asked == []


def test_missing_lines_of_a_complete_run_are_generated_again(run: Evaluate) -> None:
    whole = run(Fake())
    path = whole.path / "samples.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:9] + lines[14:])[:-40])
    run(Fake())
    assert sorted(path.read_bytes().splitlines(keepends=True)) == sorted(lines)
    assert whole.breakdown.equals(run(Fake()).breakdown)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, r"different settings \(seed was 0, is now 1\)"),
        ({"perturbations": "typos"}, "different settings .perturbations was"),
        ({"adapters": "base"}, "different settings .adapters was"),
        ({"limit": 2}, "different settings .limit was"),
    ],
)
def test_a_run_with_different_settings_is_not_resumed(run: Evaluate, change: dict, message: str) -> None:
    run(Fake())
    with pytest.raises(UserError, match=message):
        run(Fake(), **change)


def test_a_run_with_different_data_is_not_resumed(run: Evaluate, task: Task) -> None:
    run(Fake())
    changed = Task(task.name, task.samples[1:], task.metrics)
    with pytest.raises(UserError, match="different data for task 'small'"):
        run(Fake(), tasks=[changed])


def test_log_samples_keeps_the_drifted_segments(run: Evaluate) -> None:
    rows = lines(run(Fake(), perturbations="word_deletion@0.3", log_samples=True))
    drifted = [row for row in rows if row["perturbation"] == "word_deletion"]
    assert all(row["segments"][0]["drift"] == row["scores"]["max_drift"] for row in drifted)
    assert {"side", "text", "start", "partner", "links", "drift", "reason"} == drifted[0]["segments"][0].keys()


def test_two_runs_cannot_write_to_the_same_folder(run: Evaluate) -> None:
    class Nested(Fake):
        def __call__(self, options, adapters):
            engine = super().__call__(options, adapters)
            generate = engine.generate

            def twice(requests, done=()):
                with pytest.raises(UserError, match="another run is writing"):
                    run(Fake())
                return generate(requests, done)

            engine.generate = twice
            return engine

    run(Nested())


def test_a_second_run_cannot_change_the_files_of_the_first(run: Evaluate, tmp_path: Path) -> None:
    """The lock is taken before anything in the folder is read or written, while the first run is still loading."""

    class Loading(Fake):
        def __call__(self, options, adapters):
            with pytest.raises(UserError, match="another run is writing"):
                run(Fake(), perturbations="emoji")
            return super().__call__(options, adapters)

    assert set(run(Loading()).breakdown["perturbation"]) == {"clean", "identity", "typos", "word_deletion"}


def test_a_run_with_different_versions_is_not_resumed(run: Evaluate) -> None:
    folder = run(Fake()).path
    versions = json.loads((folder / "run.json").read_text())["versions"]
    change_manifest(folder, versions={**versions, "torch": "0.1"})
    with pytest.raises(UserError, match=r"made with torch 0\.1, now"):
        run(Fake())


def test_a_run_with_missing_answers_is_not_complete(run: Evaluate, tmp_path: Path) -> None:
    class Forgetful(Fake):
        def __call__(self, options, adapters):
            engine = super().__call__(options, adapters)
            generate = engine.generate
            engine.generate = lambda requests, done=(): (batch[1:] for batch in generate(requests, done))
            return engine

    with pytest.raises((RuntimeError, KeyError)):
        run(Forgetful())
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "running"


def test_keywords_override_a_configuration(run: Evaluate, tmp_path: Path, task: Task) -> None:
    config = make_config({"adapters": "base", "encoder": "lexical", "perturbations": "typos", "limit": 3})
    results = evaluate(config, tasks=[task], limit=2, output_path=tmp_path / "over", backend=Fake())
    assert set(results.breakdown["n"]) == {2}
    assert list(json.loads((results.path / "run.json").read_text())["tasks"]) == ["small"]


def test_one_task_may_be_given_alone_or_in_a_spaced_list(run: Evaluate, tmp_path: Path, task: Task) -> None:
    file = tmp_path / "rail.jsonl"
    file.write_text('{"id": "1", "content": "When does the train leave?", "references": ["at ten"]}\n')
    assert set(run(Fake(), tasks=task, output_path=tmp_path / "one").breakdown["task"]) == {task.name}
    assert set(run(Fake(), tasks=file, output_path=tmp_path / "two").breakdown["task"]) == {"rail"}
    both = run(Fake(), tasks=f"factual_qa , {file}", limit=1, output_path=tmp_path / "three")
    assert set(both.breakdown["task"]) == {"factual_qa", "rail"}


def test_a_positional_setting_is_refused() -> None:
    with pytest.raises(UserError, match=r"takes a RunConfig or settings by name, as in model='hf'; got 'hf'"):
        evaluate("hf")


def test_the_clean_interval_does_not_depend_on_repeats(run: Evaluate, tmp_path: Path) -> None:
    samples = tuple(Sample(f"s{i}", f"word{i} and some more words to say") for i in range(5))
    tasks = [Task("yes", samples, ("answer_rate",))]
    once, twice = (run(Fake(), tasks=tasks, repeats=n, output_path=str(tmp_path / str(n))) for n in (1, 2))
    for results in (once, twice):
        typos = results.breakdown[results.breakdown["perturbation"] == "typos"]
        assert (typos["clean_low"].round(3) == 0.566).all()


@sample_metric("test_wordiness", {"wordiness": False})
def _wordiness(outputs, references, metadata):
    return [{"wordiness": min(1.0, len(output.split()) / 20)} for output in outputs]


def test_the_lowest_score_is_first_if_lower_is_better(run: Evaluate, task: Task) -> None:
    class Chatty(Fake):
        def __call__(self, options, adapters):
            engine = super().__call__(options, adapters)
            generate = engine.generate
            engine.generate = lambda requests, done=(): (
                [
                    replace(g, output=g.output if g.output.startswith("other") else f"{g.output} and so on")
                    for g in batch
                ]
                for batch in generate(requests, done)
            )
            return engine

    results = run(Chatty(), tasks=[replace(task, metrics=("test_wordiness",))])
    assert list(results.leaderboard["adapter"]) == ["other", "base"]
    assert results.breakdown["pdr"].isna().all()
    assert list(leaderboard([results.path], output_path=results.path / "merged.csv")["adapter"]) == ["other", "base"]
    with pytest.raises(UserError, match="lower scores are better in task 'small'"):
        run(Fake(), tasks=[replace(task, metrics=("test_wordiness",)), replace(task, name="up")])


def test_truncated_prompts_give_a_warning(run: Evaluate) -> None:
    class Cutting(Fake):
        def __call__(self, options, adapters):
            engine = super().__call__(options, adapters)
            generate = engine.generate
            engine.generate = lambda requests, done=(): (
                [replace(g, truncated="Freedonia" in g.output) for g in batch] for batch in generate(requests, done)
            )
            return engine

    with pytest.warns(UserWarning, match=r"task 'small': .* prompts \(s0\) didn't fit into the model's context"):
        results = run(Cutting())
    assert "were truncated" in json.loads((results.path / "run.json").read_text())["warnings"][0]
    assert (results.breakdown["truncated"] > 0).any()


def test_the_breakdown_gives_the_share_of_changed_prompts(run: Evaluate) -> None:
    task = Task("mixed", (Sample("1", "12345"), Sample("2", "some words to mistype")), ("answer_rate",))
    rows = run(Fake(), tasks=[task], perturbations="typos", adapters="base").breakdown.set_index("perturbation")
    assert set(rows.loc["typos", "edited"]) == {0.5}
    assert rows.loc["identity", "edited"] == 0


def test_an_unfinished_run_is_marked_in_the_leaderboard(run: Evaluate, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(Fake(dies_at=8))
    with pytest.warns(UserWarning, match="is incomplete"):
        board = leaderboard([tmp_path / "run"], output_path=tmp_path / "board.csv")
    assert not board["complete"].any()


def test_run_json_describes_the_run(run: Evaluate) -> None:
    manifest = json.loads((run(Fake()).path / "run.json").read_text())
    assert manifest["status"] == "complete"
    assert manifest["config"]["seed"] == 0
    assert {"holdfast", "torch", "transformers", "peft"} <= manifest["versions"].keys()
    assert [entry["name"] for entry in manifest["adapters"]] == ["base", "other"]
    assert all(len(entry["digest"]) == 64 for entry in manifest["adapters"])
    assert manifest["tasks"]["small"]["headline"] == "token_f1"
    assert manifest["config"]["encoder"] == "lexical"


def test_a_prompt_that_leaves_the_content_out_is_refused(tmp_path: Path) -> None:
    task = Task("summaries", (Sample("1", "A long text.", ("Short.",)),), ("exact_match",), "Summarise: {content}")
    with pytest.raises(UserError, match="'summaries' does not use {{ content }}"):
        evaluate(tasks=[task], encoder="lexical", output_path=tmp_path / "run")
