"""The comparer `judge`: a model of any backend, asked once per pair of texts."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast import Results
from holdfast.errors import UserError
from holdfast.harness.backends import Request
from holdfast.harness.cli import main
from holdfast.harness.plan.model_judge import judge
from holdfast.metrics.drift import segment_drift
from tests.harness.fakes import Fake, registered

Evaluate = Callable[..., Results]
NOON, NOT_NOON = "The ferry leaves at noon.", "The ferry does not leave at noon."


def verdict(request: Request) -> str:
    text, _, claim = request.prompt.partition("Text: ")[2].removesuffix("\nAnswer:").partition("\nClaim: ")
    if ("not" in text) != ("not" in claim):
        return " No, they contradict each other."
    return "Yes." if set(claim.split()) <= set(text.split()) else "unknown"


@pytest.fixture
def model() -> Fake:
    return registered("oracle", verdict)


@pytest.fixture
def spec(tmp_path: Path, model: Fake) -> str:
    return f"judge,backend=oracle,pretrained=pocket-base,cache={tmp_path / 'replies' / 'cache.jsonl'}"


def test_replies_are_read_as_conflict_and_coverage(spec: str) -> None:
    comparer = judge(spec.removeprefix("judge,"))
    clean = [NOON, "Anna sings and Carl reads.", "Anna sings."]
    perturbed = [NOT_NOON, "Carl reads.", "Anna sings. and more"]
    denied, cut, longer = segment_drift(clean, perturbed, encoding="lexical", comparer=comparer)
    assert (denied.max_conflict, denied.break_drift) == (1, 1)
    assert (cut.max_conflict, cut.break_drift, cut.lost_mass) == (0, 1, 1)
    assert (longer.max_conflict, longer.max_drift) == (0, 1)


def test_a_run_asks_the_judge_and_a_second_one_its_cache(run: Evaluate, spec: str, model: Fake, tmp_path: Path) -> None:
    first = run(Fake(), comparer=spec)
    asked = len(model.asked)
    assert asked == len({request.prompt for request in model.asked}) > 0
    again = run(Fake(), comparer=spec, output_path=tmp_path / "again")
    assert len(model.asked) == asked
    assert (first.path / "breakdown.csv").read_bytes() == (again.path / "breakdown.csv").read_bytes()
    assert len((tmp_path / "replies" / "cache.jsonl").read_text().splitlines()) == asked
    assert set(first.breakdown["max_drift"].dropna()) != set(
        run(Fake(), output_path=tmp_path / "f").breakdown["max_drift"]
    )


def test_a_run_with_another_comparer_is_another_run(run: Evaluate, spec: str) -> None:
    run(Fake())
    with pytest.raises(UserError, match="comparer"):
        run(Fake(), comparer=spec)


def test_an_unclear_reply_counts_as_unknown_with_a_warning(spec: str, model: Fake) -> None:
    model.rule = lambda request: "It depends."
    with pytest.warns(UserWarning, match=r"2 of 2 replies are neither yes, no nor unknown .*'It depends\.'"):
        [found] = segment_drift([NOON], [NOT_NOON], encoding="lexical", comparer=judge(spec.removeprefix("judge,")))
    assert (found.max_conflict, found.max_drift) == (0, 1)


def test_drift_and_calibrate_take_the_judge(spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text(NOON)
    (tmp_path / "b.txt").write_text(NOT_NOON)
    files = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    assert main(["drift", *files, "--encoder", "lexical", "--comparer", spec, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reasons"] == ["contradiction"]
    pairs = tmp_path / "pairs.jsonl"
    lines = [
        {"id": f"{i}", "domain": "d", "kind": "denied", "clean": NOON, "perturbed": other, "changed": other == NOT_NOON}
        for i in range(8)
        for other in (NOON, NOT_NOON)
    ]
    pairs.write_text("".join(json.dumps(line) + "\n" for line in lines))
    arguments = ["calibrate", "--pairs", str(pairs), "--encoder", "lexical", "--comparer", spec]
    assert main(arguments) == 0
    assert "comparer judge," in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("judge", "judge needs a model"),
        ("judge,backend=orakle", "unknown backend 'orakle'"),
        ("judge,pretrained=./nowhere", "nowhere"),
        ("judge,nowhere", "expected name=value"),
    ],
)
def test_a_judge_that_is_not_there_is_named_first(run: Evaluate, wrong: str, message: str) -> None:
    fake = Fake()
    with pytest.raises(UserError, match=message):
        run(fake, comparer=wrong)
    assert fake.engines == []


def test_a_judge_is_refused_on_ray(run: Evaluate, spec: str) -> None:
    with pytest.raises(UserError, match="can't share its cache"):
        run(Fake(), comparer=spec, distributed="ray")
