"""Runs and adapters that differ only in their seed: one row, its spread, and tests against a baseline."""

import json
import math
import shutil
import statistics
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from holdfast import Results, UserError, leaderboard
from holdfast.harness.actions.seeding import parse_seeds
from holdfast.harness.backends import Request
from holdfast.harness.cli import main
from holdfast.harness.models.checkpoints import find_checkpoint
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake, registered
from tests.harness.loras import pocket, save_lora

Evaluate = Callable[..., Results]

RIGHT, WRONG = "The train leaves at ten.", "Nobody knows any whale."
SHARES = {"old": 0.5, "new": 0.2}


def failing(request: Request) -> str:
    """Answer a share of the perturbed prompts wrongly, which ones depending on the seed of the perturbation."""
    clean = request.prompt.startswith("Tell me about the thing with")
    share = SHARES.get(request.adapter, 0.4)
    return RIGHT if clean or sum(map(ord, request.prompt)) % 10 >= 10 * share else WRONG


@pytest.fixture
def runs(run: Evaluate, tmp_path: Path) -> list[Results]:
    samples = tuple(Sample(f"s{i}", f"Tell me about the thing with number {i} please", (RIGHT,)) for i in range(12))
    return [
        run(
            Fake(rule=failing),
            tasks=[Task("quiz", samples, ("exact_match",))],
            adapters="old=base,new=base",
            perturbations="typos@0.4",
            seed=seed,
            output_path=str(tmp_path / f"seed-{seed}"),
        )
        for seed in (1, 2, 3)
    ]


def values(runs: list[Results], adapter: str, name: str = "perturbed") -> list[float]:
    return [float(run.leaderboard.set_index("adapter")[name][adapter]) for run in runs]


def test_runs_that_differ_in_their_seed_are_one_row(runs: list[Results]) -> None:
    board = leaderboard(runs).set_index("adapter")
    assert set(board.index) == {"old", "new"}
    for adapter in board.index:
        found, row = values(runs, adapter), board.loc[adapter]
        assert row["seeds"] == 3
        assert row["perturbed"] == pytest.approx(statistics.mean(found))
        assert row["perturbed_sd"] == pytest.approx(statistics.stdev(found))
        half = stats.t.ppf(0.975, 2) * statistics.stdev(found) / math.sqrt(3)
        assert row["perturbed_high"] - row["perturbed"] == pytest.approx(half)
        assert row[["break_rate_low", "break_rate_high"]].fillna(0).between(0, 1).all()


def test_a_baseline_is_compared_by_paired_and_welch_tests(runs: list[Results]) -> None:
    row = leaderboard(runs, baseline="old").set_index("adapter").loc["new"]
    new, old = values(runs, "new"), values(runs, "old")
    assert row["perturbed_vs_baseline"] == pytest.approx(statistics.mean(new) - statistics.mean(old))
    assert row["perturbed_paired_p"] == pytest.approx(stats.ttest_rel(new, old).pvalue)
    assert row["perturbed_welch_p"] == pytest.approx(stats.ttest_ind(new, old, equal_var=False).pvalue)
    changes = [a - b for a, b in zip(new, old, strict=True)]
    assert row["perturbed_paired_d"] == pytest.approx(statistics.mean(changes) / statistics.stdev(changes))
    pooled = math.sqrt((statistics.variance(new) + statistics.variance(old)) / 2)
    assert row["perturbed_welch_d"] == pytest.approx((statistics.mean(new) - statistics.mean(old)) / pooled)


def test_one_seed_gives_a_difference_but_no_test(runs: list[Results]) -> None:
    row = leaderboard(runs[:1], baseline="old").set_index("adapter").loc["new"]
    assert row["perturbed_vs_baseline"] == pytest.approx(values(runs[:1], "new")[0] - values(runs[:1], "old")[0])
    assert "perturbed_paired_p" not in row.dropna().index


def test_an_unknown_baseline_is_named_with_the_nearest(runs: list[Results]) -> None:
    with pytest.raises(UserError, match="no adapter 'nwe' in this table; did you mean 'new'"):
        leaderboard(runs, baseline="nwe")


def test_runs_with_other_settings_or_the_same_seed_stay_apart(runs: list[Results], tmp_path: Path) -> None:
    shutil.copytree(runs[0].path, tmp_path / "copy")
    assert len(leaderboard([runs[0].path, tmp_path / "copy"])) == 4


def test_the_screen_shows_the_spread_and_the_tests(runs: list[Results], capsys: pytest.CaptureFixture[str]) -> None:
    target = runs[0].path.parent / "all.csv"
    command = ["leaderboard", *(str(run.path) for run in runs), "--baseline", "old", "--output_path", str(target)]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "perturbed_sd" in text
    assert "Welch p" in text
    assert f"{stats.ttest_rel(values(runs, 'new'), values(runs, 'old')).pvalue:.3f}" in text
    assert max(map(len, (line for line in text.splitlines() if not line.startswith("written")))) <= 78
    assert set(pd.read_csv(target)["adapter"]) == {"old", "new"}


def card(folder: Path, seed: int, **recipe: object) -> None:
    """Write the training card of an adapter."""
    content = {
        "recipe_digest": "r",
        "data_digest": "d",
        "base_digest": "b",
        "examples": 1,
        "longer_than_context": 0,
        "versions": {},
        "seconds": 1.0,
        "peak_memory_mib": 1.0,
        "metrics": {},
        "norms": {},
        "squared_distance": 0.0,
        "recipe": {"data": "x", "seed": seed, "output_path": str(folder), **recipe},
    }
    (folder / "training_card.json").write_text(json.dumps(content))


@pytest.fixture
def trained(run: Evaluate, tmp_path: Path) -> Results:
    """A run of the base and of two methods, each trained under two seeds."""
    names = []
    for method, objective in (("plain", "none"), ("robust", "s2r2")):
        for seed in (1, 2):
            folder = tmp_path / method / f"seed-{seed}"
            save_lora(folder, pocket(), scale=0.1 * seed + 0.01 * len(method))
            card(folder, seed, objective=objective, noise="none")
            names.append(f"{method}-{seed}={folder}")
    return run(
        Fake(), adapters=",".join(["base", *names]), model_args=f"pretrained={find_checkpoint('pocket-aligned')}"
    )


def test_adapters_that_differ_in_their_seed_are_one_row(trained: Results) -> None:
    board = leaderboard(trained, baseline="base").set_index("adapter")
    assert dict(board["seeds"]) == {"base": 1, "plain": 2, "robust": 2}
    found = trained.leaderboard.set_index("adapter")["max_drift"]
    assert board.loc["plain", "max_drift"] == pytest.approx((found["plain-1"] + found["plain-2"]) / 2)


def test_a_method_is_one_row(trained: Results) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # they differ in nothing but their seeds
        board = leaderboard(trained, by="method")
    assert dict(zip(board["method"], board["seeds"], strict=True)) == {"base": 1, "lora": 2, "s2r2": 2}


def test_a_method_of_several_recipes_is_named_as_a_mixture(run: Evaluate, tmp_path: Path) -> None:
    names = []
    for rate in (0.1, 0.2):
        save_lora(tmp_path / f"at-{rate}", pocket(), scale=rate)
        card(tmp_path / f"at-{rate}", 1, objective="none", noise="none", arguments={"learning_rate": rate})
        names.append(str(tmp_path / f"at-{rate}"))
    done = run(Fake(), adapters=",".join(names), model_args=f"pretrained={find_checkpoint('pocket-aligned')}")
    with pytest.warns(UserWarning, match=r"'lora' is a mean .* that differ in learning_rate \(at-0.1, at-0.2"):
        board = leaderboard(done, by="method").set_index("method")
    alone = done.leaderboard.set_index("adapter")["max_drift"]
    assert board.loc["lora", "max_drift"] == pytest.approx((alone["at-0.1"] + alone["at-0.2"]) / 2)


def test_a_method_with_one_adapter_keeps_its_interval(trained: Results) -> None:
    alone, board = trained.leaderboard.set_index("adapter"), leaderboard(trained, by="method").set_index("method")
    for end in ("low", "high"):
        assert board.loc["base", f"max_drift_{end}"] == alone.loc["base", f"max_drift_{end}"]


def test_every_interval_of_several_seeds_is_over_seeds(runs: list[Results]) -> None:
    board = leaderboard(runs).set_index("adapter")
    for name in ("perturbed", "tail_drift", "any_break_rate"):
        found = values(runs, "old", name)
        low, high = stats.t.interval(0.95, 2, sum(found) / 3, stats.sem(found))
        assert board.loc["old", f"{name}_low"] == pytest.approx(max(low, 0), abs=1e-5)
        assert board.loc["old", f"{name}_high"] == pytest.approx(min(high, 1), abs=1e-5)


def test_models_trained_in_full_are_a_method(run: Evaluate, tmp_path: Path) -> None:
    runs = []
    for seed in (1, 2):
        folder = tmp_path / "full" / f"seed-{seed}"
        pocket().save_pretrained(folder)
        (folder / "config.json").write_text((folder / "config.json").read_text().replace("{", f'{{"seed": {seed},', 1))
        card(folder, seed, objective="none", noise="flat_lora", full=True)
        out = tmp_path / f"run-{seed}"
        runs.append(run(Fake(), adapters="base", model_args=f"pretrained={folder}", output_path=out))
    board = leaderboard(runs, by="method")
    assert dict(zip(board["method"], board["seeds"], strict=True)) == {"full+flat_lora": 2}
    assert list(leaderboard(runs)["seeds"]) == [2]


def test_a_correction_is_part_of_the_method(run: Evaluate, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = []
    for seed in (1, 2):
        trained, corrected = tmp_path / "trained" / f"seed-{seed}", tmp_path / "corrected" / f"seed-{seed}"
        save_lora(trained, pocket(), scale=0.1 * seed)
        save_lora(corrected, pocket(), scale=0.05 * seed)
        card(trained, seed, objective="none", noise="flat_lora")
        correction_card(corrected, trained)
        names += [f"t{seed}={trained}", f"c{seed}={corrected}"]
    done = run(Fake(), adapters=",".join(names), model_args=f"pretrained={find_checkpoint('pocket-aligned')}")
    board = leaderboard(done, by="method")
    assert dict(zip(board["method"], board["seeds"], strict=True)) == {"flat_lora": 2, "flat_lora+csulora": 2}
    assert dict(leaderboard(done).set_index("adapter")["seeds"]) == {"t": 2, "c": 2}
    capsys.readouterr()
    assert main(["leaderboard", str(done.path), "--by", "method", "--output_path", str(tmp_path / "board.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("written to")) <= 78


def correction_card(folder: Path, source: Path) -> None:
    """Write the correction card of an adapter made from `source`."""
    digests = {f"{name}_digest": "d" for name in ("adapter", "subspace", "base", "aligned")}
    numbers = dict.fromkeys(("distance", "relative_distance", "sign_cosine", "seconds"), 1.0)
    content = {"method": "csulora", "settings": {"strength": 1.0}, "adapter": str(source), **digests, **numbers}
    (folder / "correction_card.json").write_text(json.dumps({**content, "modules": [], "kept": [], "versions": {}}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1", "names several seeds"),
        ("", "names several seeds"),
        ("1,x", "got 'x'"),
        ("1,-2", "got '-2'"),
        ("1,1", "1 is given twice"),
        ("1,99999999999", "got '99999999999'"),
    ],
)
def test_wrong_seeds_are_named(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse_seeds(text)


def test_run_and_train_make_a_folder_for_each_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, tuned, out = tmp_path / "data.jsonl", tmp_path / "tuned", tmp_path / "out"
    data.write_text('{"prompt": "Where is it?", "completion": "Here."}\n' * 4)
    train = ["train", "--data", str(data), "--max_steps", "1", "--lora", "r=2", "--output_path", str(tuned)]
    assert main([*train, "--seeds", "5,6"]) == 0
    adapters = ",".join(["base", *(str(tuned / f"seed-{seed}") for seed in (5, 6))])
    small = ["--tasks", "factual_qa", "--limit", "2", "--perturbations", "typos@0.1", "--encoder", "lexical"]
    command = ["run", *small, "--adapters", adapters, "--seeds", "1,2", "--output_path", str(out)]
    assert main([*command, "--baseline", "bass"]) == 1
    assert "no adapter 'bass' in these runs; did you mean 'base'?" in capsys.readouterr().err
    assert not out.exists()
    assert main([*command, "--baseline", "tuned"]) == 0
    assert {path.name for path in out.iterdir()} == {"seed-1", "seed-2", "leaderboard.csv"}
    assert set(pd.read_csv(out / "leaderboard.csv")["adapter"]) == {"base", "tuned"}
    with pytest.raises(SystemExit, match="2"):
        main([*command, "--seed", "3"])
    capsys.readouterr()
    for verb in (
        ["leaderboard", str(out)],
        ["report", str(out)],
        ["check", "--baseline", str(out), "--candidate", "x"],
    ):
        assert main(verb) != 0
        assert f"{out} is not a run: it has no run.json; name one of the runs in it: seed-1, seed-2" in (
            capsys.readouterr().err
        )


def test_the_base_is_loaded_once_for_all_seeds(tmp_path: Path) -> None:
    fake = registered("fake_seeds", failing)
    small = ["--tasks", "factual_qa", "--limit", "2", "--perturbations", "typos@0.1", "--encoder", "lexical"]
    assert main(["run", "--model", "fake_seeds", *small, "--seeds", "1,2,3", "--output_path", str(tmp_path)]) == 0
    assert len(fake.engines) == 1
