"""`leaderboard --by transfer`: data trained on, by tasks."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from holdfast import Results, UserError, leaderboard
from holdfast.harness.backends import Request
from holdfast.harness.cli import main
from holdfast.harness.models.checkpoints import find_checkpoint
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake
from tests.harness.loras import pocket, save_lora
from tests.harness.results.test_seeds import card

Evaluate = Callable[..., Results]


def task(name: str) -> Task:
    """Four samples, of which the clean prompt names the right answer."""
    samples = tuple(Sample(f"{i}", f"Please repeat this word about {name}: river{i}", (f"river{i}",)) for i in range(4))
    return Task(name, samples, ("exact_match",))


def evaluated(run: Evaluate, tmp_path: Path, name: str, tasks: list[str]) -> Results:
    for place, adapter in enumerate(("news-1", "news-2", "chats")):
        folder = tmp_path / adapter
        if not folder.is_dir():
            save_lora(folder, pocket(), scale=0.1 + 0.1 * place)
            data = adapter.partition("-")[0]
            card(folder, place, data=f"somewhere/{data}.jsonl", objective="none", noise="none")
            text = (
                (folder / "training_card.json")
                .read_text()
                .replace('"data_digest": "d"', f'"data_digest": "{data}0000"')
            )
            (folder / "training_card.json").write_text(text)

    def rule(request: Request) -> str:
        wrong = request.adapter == "news-1" or (request.adapter == "chats" and "news" in request.prompt)
        return "wrong" if wrong else request.prompt.split()[-1]

    return run(
        Fake(rule=rule),
        tasks=[task(each) for each in tasks],
        adapters=",".join(["base", *(f"{each}={tmp_path / each}" for each in ("news-1", "news-2", "chats"))]),
        model_args=f"pretrained={find_checkpoint('pocket-aligned')}",
        perturbations="char_deletion@0.5",
        output_path=str(tmp_path / name),
    )


def test_training_sets_are_rows_and_tasks_are_columns(
    run: Evaluate, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    together = evaluated(run, tmp_path, "both", ["news", "chats"])
    matrix = leaderboard(together, by="transfer").set_index("adapter")
    assert dict(matrix["trained_on"]) == {
        "base": "",
        "chats": "chats.jsonl (chats000)",
        "news": "news.jsonl (news0000)",
    }
    assert dict(matrix["chats_clean"]) == {"base": 1.0, "chats": 1.0, "news": 0.5}
    assert dict(matrix["news_clean"]) == {"base": 1.0, "chats": 0.0, "news": 0.5}
    apart = [evaluated(run, tmp_path, f"run-{name}", [name]) for name in ("news", "chats")]
    merged = leaderboard(apart, by="transfer").set_index("adapter")
    assert not [each for each in recwarn if "differs from" in str(each.message)]
    pd.testing.assert_frame_equal(merged.drop(columns="run"), matrix.drop(columns="run"))


def test_perturbed_scores_are_those_of_the_tasks_row(run: Evaluate, tmp_path: Path) -> None:
    together = evaluated(run, tmp_path, "both", ["news", "chats"])
    matrix = leaderboard(together, by="transfer").set_index("adapter")
    rows = leaderboard(together, by="task")
    assert len(rows) == 6
    for row in rows.to_dict("records"):
        assert matrix.loc[row["adapter"], f"{row['task']}_perturbed"] == row["perturbed"]


def test_a_task_that_was_not_asked_is_empty(run: Evaluate, tmp_path: Path) -> None:
    one, both = evaluated(run, tmp_path, "one", ["news"]), evaluated(run, tmp_path, "both", ["news", "chats"])
    matrix = leaderboard([one, both], by="transfer")
    assert len(matrix) == 6
    assert matrix.set_index("run").loc[str(one.path), "chats_clean"].isna().all()


def test_the_matrix_is_printed_and_written(run: Evaluate, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    together = evaluated(run, tmp_path, "both", ["news", "chats"])
    command = ["leaderboard", str(together.path), "--by", "transfer", "--output_path", str(tmp_path / "matrix.csv")]
    for _ in range(2):
        assert main(command) == 0
    printed = capsys.readouterr().out
    assert "chats.jsonl (chats000)" in printed
    assert "news_perturbed" in printed
    assert list(pd.read_csv(tmp_path / "matrix.csv")["adapter"]) == ["base", "chats", "news"]
    assert main(["leaderboard", str(together.path), "--by", "transfer", "--format", "markdown"]) == 0
    assert main(["leaderboard", str(together.path), "--by", "transfer", "--columns", "clean"]) != 0
    assert "--columns and --sort don't apply to the transfer matrix" in capsys.readouterr().err


def test_what_the_matrix_has_no_room_for_is_refused(run: Evaluate, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no room for --geometry or --baseline"):
        leaderboard(tmp_path, by="transfer", baseline="base")
