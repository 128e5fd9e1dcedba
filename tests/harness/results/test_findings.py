"""What a table says of its numbers: intervals, rates of breaks, the noise floor, and what was never scored."""

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from holdfast import Results, load_run
from holdfast.harness.backends import Request
from holdfast.harness.results.tables import print_leaderboard, print_results
from holdfast.metrics import sample_metric
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]

SAME, OTHER = "The train leaves at ten.", "Nobody knows any whale."


def sentences(count: int, **fields: object) -> Task:
    samples = [Sample(f"s{i}", f"Tell me about thing number {i} please", (SAME,)) for i in range(count)]
    return replace(Task("small", tuple(samples), ("exact_match",)), **fields)


def cell(results: Results, perturbation: str = "typos") -> pd.Series:
    read = pd.read_csv(results.path / "breakdown.csv")
    return read[(read["perturbation"] == perturbation) & (read["adapter"] == "base")].iloc[0]


def shown(results: Results, capsys: pytest.CaptureFixture[str]) -> str:
    """What is printed, on one line, so that it doesn't matter where lines break."""
    capsys.readouterr()
    print_results(results)
    return " ".join(capsys.readouterr().out.split())


def clean_or(other: str, *also: str) -> Fake:
    """An engine that gives `other` to every prompt that isn't a clean one or one of `also`."""
    clean = {f"Tell me about thing number {i} please" for i in range(20)} | set(also)
    return Fake(rule=lambda request: SAME if request.prompt in clean else other)


def test_four_samples_have_no_interval(run: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    results = run(clean_or(OTHER), tasks=[sentences(4)], perturbations="typos@light", adapters="base")
    row = cell(results)
    assert (row["clean"], row["perturbed"], row["delta"]) == (1.0, 0.0, -1.0)
    ends = [f"{name}_{end}" for name in ("clean", "delta", "max_drift", "break_rate") for end in ("low", "high")]
    assert row[ends].isna().all()
    assert "-1.000 [n too small]" in shown(results, capsys)
    assert "n too small" in results._repr_html_()


def test_equal_values_have_no_bootstrap_interval_but_proportions_do(
    run: Evaluate, capsys: pytest.CaptureFixture[str]
) -> None:
    results = run(clean_or(OTHER), tasks=[sentences(6)], perturbations="typos@light", adapters="base")
    row = cell(results)
    assert row[["delta_low", "delta_high", "max_drift_low"]].isna().all()
    assert row["clean_low"] == pytest.approx(0.609666)  # Wilson (1927) for 6 of 6: 6 / (6 + 1.96 ** 2)
    assert "-1.000 [no spread]" in shown(results, capsys)


def test_the_table_says_which_way_numbers_go(run: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    results = run(Fake())
    text = shown(results, capsys)
    print_leaderboard(results.leaderboard)
    for said in (text, " ".join(capsys.readouterr().out.split())):
        assert "perturbed minus clean (negative = worse)" in said
        assert "ranked by perturbed, the score under perturbation, highest first" in said


def test_breaks_are_counted_by_variant_and_by_sample(run: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    task = sentences(6)
    first = run(Fake(), tasks=[task], perturbations="typos@light", adapters="base", repeats=4)
    stored = [json.loads(line) for line in (first.path / "samples.jsonl").read_text().splitlines()]
    typed = [line for line in stored if line["perturbation"] == "typos"]
    breaking = {
        line["prompt"] for line in typed if (line["sample"], line["repeat"]) in {("s0", 1), ("s0", 3), ("s4", 0)}
    }
    assert len(breaking) == 3
    results = run(
        Fake(rule=lambda request: OTHER if request.prompt in breaking else SAME),
        tasks=[task],
        perturbations="typos@light",
        adapters="base",
        repeats=4,
        output_path=str(first.path / "again"),
    )
    row = cell(results)
    assert row["break_rate"] == pytest.approx(3 / 24, abs=1e-6)
    assert row["any_break_rate"] == pytest.approx(2 / 6, abs=1e-6)
    assert row["any_break_rate_low"] < 2 / 6 < row["any_break_rate_high"]
    assert results.leaderboard["break_rate"].iloc[0] == pytest.approx(3 / 24, abs=1e-6)
    assert results.leaderboard["any_break_rate"].iloc[0] == pytest.approx(2 / 6, abs=1e-6)
    assert "0.125" in shown(results, capsys)
    assert "0.333" not in shown(results, capsys)


def unsteady(request: Request) -> str:
    """Answer something else when a prompt is asked again, or perturbed."""
    return OTHER if request.replicate or "number" not in request.prompt else SAME


def test_a_high_noise_floor_is_a_finding(run: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.warns(
        UserWarning, match=r"high noise floor: .* drifts 0.9\d .* dtype=float32 and a fixed --batch_size"
    ):
        results = run(Fake(rule=unsteady), tasks=[sentences(6)], perturbations="typos@0.3", adapters="base")
    row = cell(results)
    assert row["noise_floor"] == row["max_drift"] > 0.9
    assert not row["above_floor"]
    assert re.search(r"\d ~", shown(results, capsys))
    assert any("high noise floor" in each for each in json.loads((results.path / "run.json").read_text())["warnings"])
    assert load_run(results.path).warnings == results.warnings
    again = run(Fake(rule=unsteady), tasks=[sentences(6)], perturbations="typos@0.3", adapters="base")
    assert again.warnings == results.warnings


def test_drift_clearly_above_its_floor_is_not_marked(run: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    results = run(clean_or(OTHER), tasks=[sentences(6)], perturbations="typos@0.3", adapters="base")
    assert cell(results)["above_floor"]
    assert results.leaderboard["above_floor"].all()
    assert not re.search(r"\d ~", shown(results, capsys))
    assert not any("noise" in each for each in results.warnings)
    few = run(
        clean_or(OTHER),
        tasks=[sentences(4)],
        perturbations="typos@0.3",
        adapters="base",
        output_path=results.path / "few",
    )
    assert not cell(few)["above_floor"]


def test_a_large_share_of_excluded_variants_is_beside_the_score(
    run: Evaluate, capsys: pytest.CaptureFixture[str]
) -> None:
    task = Task(
        "doors",
        tuple(Sample(str(i), f"Do not open door number {i} on Monday.", ("no",)) for i in range(6)),
        ("token_f1",),
    )
    results = run(Fake(), tasks=[task], perturbations="word_deletion@0.3,case@light", repeats=3, min_meaning=0.6)
    share = cell(results, "word_deletion")["excluded"]
    assert share > 0.05
    text = shown(results, capsys)
    assert f"({share:.0%} excluded)" in text
    assert "(0% excluded)" not in text


@pytest.mark.parametrize(("cut", "warned"), [(20, True), (5, True), (1, False)])
def test_answers_cut_at_the_token_limit_give_a_warning(run: Evaluate, cut: int, warned: bool) -> None:
    class Long(Fake):
        def __call__(self, options, adapters):
            engine = super().__call__(options, adapters)
            generate = engine.generate
            engine.generate = lambda requests, done=(): (
                [replace(g, finish="length" if names[g.key] < cut else "stop") for g in batch]
                for names in [{r.key: int(r.prompt.split()[-2]) for r in requests}]
                for batch in generate(requests, done)
            )
            return engine

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = run(
            Long(),
            tasks=[sentences(20, max_new_tokens=7)],
            perturbations="identity",
            adapters="base",
        )
    found = [each for each in results.warnings if "cut at the limit" in each]
    share = {20: "100%", 5: "25%"}.get(cut)
    expected = f"task 'small': {share} of the answers were cut at the limit of 7 tokens; raise it with --gen_kwargs max_new_tokens=N"
    assert found == ([expected] if warned else [])


def test_answers_that_a_content_filter_withheld_are_reported(run: Evaluate) -> None:
    class Filtered(Fake):
        def __call__(self, options, adapters):
            engine = super().__call__(options, adapters)
            generate = engine.generate
            engine.generate = lambda requests, done=(): (
                [replace(answer, output="", finish="filtered") for answer in batch]
                for batch in generate(requests, done)
            )
            return engine

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = run(Filtered(), tasks=[sentences(3)], perturbations="identity", adapters="base")
    assert any(
        "'small': the server's content filter withheld 6 answers or cut them off" in each for each in results.warnings
    )


@sample_metric("test_wanted", {"wanted": True})
def wanted(outputs, references, metadata):
    """A user's own metric, which reads what is right from metadata."""
    pairs = zip(outputs, metadata, strict=True)
    return [{"wanted": float(each["wanted"] in output)} if "wanted" in each else {} for output, each in pairs]


@pytest.mark.parametrize(
    ("metadata", "metric", "said"),
    [
        ({"wanted": "ten"}, "test_wanted", ""),
        ({}, "answer_rate", "its rows have no references"),
        ({"topic": "rail", "Answer": "ten"}, "exact_match", "its rows have 'Answer', which nothing maps"),
        ({"label": "x", "labels": ["x", "y"]}, "token_f1", "its rows have 'label', which nothing maps"),
        ({"forbidden": True}, "policy", ""),
        ({"key_facts": ["ten"]}, "key_fact_recall", ""),
    ],
)
def test_answers_compared_with_nothing_are_reported(
    run: Evaluate, capsys: pytest.CaptureFixture[str], metadata: dict, metric: str, said: str
) -> None:
    task = Task("rail", (Sample("1", "When does the train leave?", (), metadata),), (metric,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = run(Fake(), tasks=[task], perturbations="typos@light", adapters="base")
    found = [each for each in results.warnings if "no answer was compared with a reference" in each]
    assert [said in each for each in found] == ([True] if said else [])
    text = shown(results, capsys)
    assert ("task 'rail': no answer was compared with a reference" in text) is bool(said)
    assert ("warning" in repr(results)) is bool(results.warnings)


@pytest.mark.parametrize(("additions", "rate"), [("ignore", 0.0), ("count", 1.0)])
def test_an_answer_that_adds_to_the_same_breaks_only_if_asked(run: Evaluate, additions: str, rate: float) -> None:
    longer = clean_or(f"{SAME} Breakfast is served on board from the second stop onwards.")
    results = run(
        longer,
        tasks=[sentences(6)],
        perturbations="typos@heavy",
        adapters="base",
        additions=additions,
        encoder="minilm",
    )
    assert cell(results)["break_rate"] == rate
    assert cell(results)["max_conflict"] < 0.5 <= cell(results)["max_drift"]


def test_a_refusal_in_place_of_an_answer_breaks(run: Evaluate) -> None:
    refusing = clean_or("I'm sorry, but I can't help with that.")
    results = run(refusing, tasks=[sentences(6)], perturbations="typos@heavy", adapters="base")
    assert (cell(results)["break_rate"], cell(results)["max_drift"]) == (1.0, 1.0)
