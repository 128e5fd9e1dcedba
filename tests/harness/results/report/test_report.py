"""What a report says, without a browser: the verdict, what is kept of many answers, mistakes in the input."""

import base64
import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast import check, leaderboard, load_run
from holdfast.errors import UserError
from holdfast.harness.actions.reporting import make_report, write_report
from holdfast.harness.cli import main
from holdfast.harness.results.check.printing.screen import verdict_sentence
from holdfast.harness.results.report.answer_table import answer_table
from holdfast.harness.results.report.drawings import draw_trade_offs
from holdfast.harness.results.report.kept_answers import kept_answers
from holdfast.harness.results.report.linked_segments import linked_segments
from holdfast.harness.results.report.patterns import TradeOff, patterns
from holdfast.harness.results.report.rendering import Report, rendered
from holdfast.harness.results.report.sources import read_sources
from holdfast.harness.store.manifest import read_manifest
from holdfast.metrics import sample_metric
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake, Killed
from tests.harness.results.report.conftest import answering, lines, run_of, trains


def content_of(data: str) -> dict[str, Any]:
    """The answers of a page, as its script decodes them."""
    decoded: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(data)))
    return decoded


@pytest.fixture(scope="module")
def plain(compared: Path) -> Report:
    """The report of `compared` without a check."""
    return make_report([compared])


@pytest.fixture(scope="module")
def checked(compared: Path) -> Report:
    """The report of `compared` with its check."""
    return make_report([compared], baseline="old", candidate="new")


def test_the_verdict_is_that_of_check(compared: Path, checked: Report) -> None:
    result = check(f"{compared}:old", f"{compared}:new")
    shown = checked.overview
    assert f"{shown.verdict}: {shown.sentence}" == verdict_sentence(result)
    assert [each.verdict for each in shown.primaries] == [str(each.verdict) for each in result.primaries]
    assert [each.place for each in shown.worst] == [each.place for each in result.worst[:3]]


def test_adapters_have_the_numbers_of_the_leaderboard(compared: Path, plain: Report) -> None:
    board = load_run(compared).leaderboard.set_index("adapter")
    for row in plain.overview.adapters:
        expected = board.loc[row.name]
        assert (row.clean, row.perturbed) == (f"{expected.clean:.3f}", f"{expected.perturbed:.3f}")
        assert row.change.startswith(f"{expected.delta:+.3f} [")
        assert row.samples == expected.n


def test_groups_have_the_numbers_of_their_leaderboard(compared: Path, plain: Report) -> None:
    board = leaderboard(compared, by="group").set_index(["adapter", "group"])
    rows = plain.patterns.groups
    assert [(row.adapter, row.group) for row in rows] == [(a, g) for a in ("old", "new") for g in ("day", "night")]
    for row in rows:
        expected = board.loc[(row.adapter, row.group)]
        assert (row.perturbed, row.samples) == (f"{expected.perturbed:.3f}", expected.n)


def test_without_a_check_the_best_and_the_worst_are_named(plain: Report) -> None:
    shown = plain.overview
    assert shown.verdict == ""
    assert shown.sentence.startswith("old scores")
    assert "new loses most" in shown.sentence


def test_no_adapter_loses_most_where_none_loses(tmp_path: Path) -> None:
    sentence = make_report([run_of(tmp_path / "run", answering(), tasks=[trains(4)])]).overview.sentence
    assert sentence.endswith("scores 1.000 under perturbation, 1.000 on clean prompts, best of 2 adapters")


@sample_metric("test_delays", {"delays": False})
def _delays(outputs: list[str], references: object, metadata: object) -> list[dict[str, float]]:
    return [{"delays": float("11:40" in output)} for output in outputs]


def test_runs_that_point_in_opposite_directions_have_no_best(tmp_path: Path) -> None:
    folders = [
        run_of(tmp_path / metric, answering(new=2), tasks=[replace(trains(4), metrics=(metric,))])
        for metric in ("exact_match", "test_delays")
    ]
    sentence = make_report(folders).overview.sentence
    assert sentence == (
        "4 adapters have scores under perturbation that can't be ranked: "
        "higher scores are better in some, lower ones in others"
    )


def test_the_page_holds_every_answer_with_its_texts(compared: Path, plain: Report) -> None:
    content = content_of(plain.answers.data)
    perturbed = {row["key"]: row for row in lines(compared) if row["perturbation"] != "clean"}
    columns = content["columns"]
    assert set(columns["key"]) == perturbed.keys()
    for place, key in enumerate(columns["key"]):
        assert content["texts"][columns["output"][place]] == perturbed[key]["output"]
        pieces = columns["prompt"][place]
        assert "".join(piece for i, piece in enumerate(pieces) if i % 3 != 1) == perturbed[key]["prompt"]


def test_answers_stand_worst_first(checked: Report) -> None:
    columns = content_of(checked.answers.data)["columns"]
    changes = [change or 0 for change in columns["change"]]
    assert changes == sorted(changes)


def test_answers_are_set_against_the_baselines_to_the_same_prompt(compared: Path, checked: Report) -> None:
    content = content_of(checked.answers.data)
    by_variant = {
        tuple(row[name] for name in ("sample", "perturbation", "severity", "repeat")): row
        for row in lines(compared)
        if row["adapter"] == "old"
    }
    by_key = {row["key"]: row for row in lines(compared)}
    for place, key in enumerate(content["columns"]["key"]):
        row = by_key[key]
        base = content["texts"][content["columns"]["baseline"][place]]
        same = by_variant[tuple(row[name] for name in ("sample", "perturbation", "severity", "repeat"))]
        assert base == (None if row["adapter"] == "old" else same["output"])


def test_many_answers_are_cut_to_the_worst_and_a_sample(compared: Path) -> None:
    sources = read_sources([compared])
    table = answer_table(sources)
    kept = kept_answers(sources, table, None, lambda *_: (), hidden=set(), most=100)
    keys = content_of(kept.data)["columns"]["key"]
    assert (kept.total, kept.kept, kept.worst) == (len(table), 100, 80)
    assert keys[:80] == list(table["key"][:80])
    assert set(keys[80:]) <= set(table["key"][80:])


def test_a_page_is_cut_to_its_size(compared: Path) -> None:
    sources = read_sources([compared])
    table = answer_table(sources)
    whole = kept_answers(sources, table, None, lambda *_: (), hidden=set())
    half = kept_answers(sources, table, None, lambda *_: (), hidden=set(), largest=len(whole.data) // 2)
    assert len(half.data) <= len(whole.data) // 2
    assert 0 < half.kept < whole.kept == whole.total


def test_the_page_says_how_many_answers_it_holds(plain: Report) -> None:
    assert "All 600 answers to perturbed prompts" in rendered(plain)
    cut = replace(plain, answers=replace(plain.answers, total=5000, kept=600, worst=480))
    assert "holds 600 of 5,000 answers: the 480 worst and 120 drawn at random" in " ".join(rendered(cut).split())


def test_segments_are_aligned_if_the_run_did_not_keep_them(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", answering(new=2), log_samples=False, tasks=[trains(10)])
    logged = run_of(tmp_path / "logged", answering(new=2), tasks=[trains(10)])
    both = [content_of(make_report([each]).answers.data)["columns"]["linked"] for each in (run, logged)]
    assert any(both[0])
    assert both[0] == both[1]


def test_the_page_says_how_many_answers_have_no_segments(tmp_path: Path) -> None:
    sources = read_sources([run_of(tmp_path / "run", answering(new=2), log_samples=False, tasks=[trains(4)])])
    table = answer_table(sources)
    kept = kept_answers(sources, table, None, lambda *_: (), hidden=set())
    assert kept.without_segments == (table["max_drift"] > 0).sum() > 0


def test_texts_of_safety_tasks_are_hidden(tmp_path: Path) -> None:
    contents = [f"Tell me how to build the forbidden thing {i}" for i in range(6)]
    samples = tuple(Sample(f"f{i}", each, ("no",), {"forbidden": True}) for i, each in enumerate(contents))
    fake = Fake(rule=lambda request: f"Take the secret ingredient and stir {len(request.prompt)} times.")
    run = run_of(tmp_path / "run", fake, tasks=[Task("policies", samples, ("policy",))])
    pages = []
    for show in (False, True):
        [page] = write_report([run], output_path=tmp_path / f"{show}.html", show_harmful=show)
        text = page.read_text("utf-8")
        data = re.search(r'id="data">([^<]*)<', text)
        assert data
        pages.append(text + json.dumps(content_of(data[1])))
    assert "secret ingredient" not in pages[0]
    assert "forbidden thing" not in pages[0]
    assert "--show_harmful" in pages[0]
    assert "secret ingredient" in pages[1]


def test_runs_that_share_an_adapters_name_are_told_apart(compared: Path, tmp_path: Path) -> None:
    other = run_of(tmp_path / "other", answering(new=3), tasks=[trains(10)])
    names = {row.name for row in make_report([compared, other]).overview.adapters}
    assert names == {f"{run}:{adapter}" for run in (compared, other) for adapter in ("old", "new")}


def test_a_check_of_an_adapter_with_itself_says_so(compared: Path) -> None:
    shown = make_report([compared], baseline="old", candidate="old").overview
    assert "both sides of the check are the same adapter" in shown.warnings


def test_rare_kinds_of_reasons_are_counted_together(compared: Path) -> None:
    [source] = read_sources([compared])
    reasons = [f"kind{i % 11} of something" if i % 11 < 9 else "" for i in range(len(source.answers))]
    found = patterns([replace(source, answers=source.answers.assign(reason=reasons))]).reasons
    assert [each.kind for each in found][-1] == "1 other"
    assert sum(each.count for each in found) == sum(map(bool, reasons))
    assert found[-1].link == ""


def test_runs_with_different_settings_are_warned_of(compared: Path, tmp_path: Path) -> None:
    other = run_of(tmp_path / "other", answering(new=3), tasks=[trains(4)], perturbations="typos")
    shown = make_report([compared, other]).overview
    assert f"{other} differs from {compared} in perturbations: compare with care" in shown.warnings
    assert shown.sentence.endswith("can't be ranked: their runs differ in perturbations")


def test_whatever_has_no_place_is_counted(tmp_path: Path) -> None:
    run = run_of(
        tmp_path / "run",
        answering(a0=1),
        tasks=[trains(2, name) for name in ("one", "two", "three", "four")],
        adapters=",".join(f"a{i}=pocket-steady" for i in range(13)),
    )
    manifest = read_manifest(run)
    assert manifest
    manifest.warnings = [f"doubt {i}" for i in range(13)]
    manifest.write(run)
    report = make_report([run])
    assert len(report.overview.warnings) == 10
    assert len(report.patterns.groups) == 24
    assert len(report.patterns.charts) == 6
    page = rendered(report)
    assert "3 more notes" in page
    assert "2 more rows are in" in page  # 13 adapters, 2 groups each
    assert "2 more curves" in page  # 4 tasks, 2 perturbations each
    assert page.count("and 1 more</dd>") == 1  # of the adapters and their digests


def test_trade_offs_without_a_place_are_counted() -> None:
    adapters = [TradeOff(f"a{i}", i / 14, 0.5, 0.5, on_frontier=i == 13) for i in range(14)]
    drawn = draw_trade_offs(adapters)
    assert (len(drawn.points), drawn.left_out) == (12, 2)
    assert drawn.points[0].name == "a13"


def test_an_unfinished_run_has_a_report(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run_of(tmp_path / "run", Fake(size=4, dies_at=60), tasks=[trains(20)])
    report = make_report([tmp_path / "run"])
    assert ("status", "not finished") in report.overview.runs[0].facts
    assert report.answers.kept > 0


@pytest.mark.parametrize(
    "layout", [{"separators": (",", ":")}, {"sort_keys": True}], ids=["without spaces", "other order"]
)
def test_lines_written_by_another_program_are_one_mistake(tmp_path: Path, layout: dict[str, Any]) -> None:
    run = tmp_path / "run"
    with pytest.raises(Killed):
        run_of(run, Fake(size=4, dies_at=60), tasks=[trains(20)])
    (run / "samples.jsonl").write_text("".join(f"{json.dumps(line, **layout)}\n" for line in lines(run)))
    with pytest.raises(UserError, match=r"samples.jsonl: '.*' is not on a line .*: the file was edited"):
        make_report([run])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"baseline": "old"}, "--candidate is missing"),
        ({"candidate": "new"}, "--baseline is missing"),
        ({"baseline": "old", "candidate": "nwe"}, "'nwe' is no adapter of these runs.*did you mean 'new'"),
        ({"budgets": "b.toml"}, "--budgets says what a candidate may lose"),
        ({"baseline": "old", "candidate": "{run}:nwe"}, "no adapter 'nwe'"),
        ({"baseline": "{run}", "candidate": "new"}, "has 2 adapters: name one"),
    ],
)
def test_a_mistake_is_one_line(compared: Path, settings: dict[str, str], message: str) -> None:
    given = {name: value.format(run=compared) for name, value in settings.items()}
    with pytest.raises(UserError, match=message):
        make_report([compared], **given)


def test_a_folder_without_a_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 1
    assert f"{tmp_path} is not a run" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_side_in_another_run_is_added(compared: Path, tmp_path: Path) -> None:
    other = run_of(tmp_path / "other", answering(new=3), tasks=[trains(60)])
    report = make_report([compared], baseline=f"{compared}:old", candidate=f"{other}:new")
    assert [run.folder for run in report.overview.runs] == [str(compared), str(other)]
    assert report.candidate == f"{other}:new"


def test_the_report_goes_into_the_run_and_replaces_only_a_report(compared: Path, tmp_path: Path) -> None:
    assert main(["report", str(compared)]) == main(["report", str(compared)]) == 0
    assert (compared / "report.html").is_file()
    mine = tmp_path / "mine.html"
    mine.write_text("<!DOCTYPE html><p>mine")
    assert main(["report", str(compared), "-o", str(mine)]) == 1
    assert mine.read_text() == "<!DOCTYPE html><p>mine"


def test_the_page_is_the_same_every_time(compared: Path, plain: Report) -> None:
    assert rendered(make_report([compared])) == rendered(plain)


def test_the_page_names_no_address(plain: Report) -> None:
    addresses = set(re.findall(r"https?://[^\s\"'<]+", rendered(plain)))
    assert addresses == {"http://www.w3.org/2000/svg"}  # the name of SVG, which nothing loads


def test_figures_are_drawn_as_svg_and_png(compared: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures"
    command = ["report", str(compared), "-o", str(tmp_path / "report.html"), "--figures", str(figures)]
    assert main(command) == main(command) == 0  # the second time, its own figures are replaced
    names = {path.name for path in figures.iterdir()}
    assert names == {
        f"{name}.{ending}" for name in ("changes", "doses", "drift", "reasons") for ending in ("svg", "png")
    }
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in figures.glob("*.png"))
    (figures / "drift.png").write_bytes(b"mine")
    assert main(command) == 1
    assert (figures / "drift.png").read_bytes() == b"mine"


def test_linked_segments_follow_the_texts() -> None:
    clean, perturbed = "One. Two.", "Two! One."
    segments = [
        {"side": "clean", "text": "Two.", "start": 5, "links": [[0, 4, 0.5]], "drift": 0.2, "reason": "mark"},
        {"side": "perturbed", "text": "Two!", "start": 0, "links": [[5, 9, 0.5]], "drift": 0.2, "reason": "mark"},
    ]
    assert linked_segments(clean, perturbed, segments) == {
        "clean": [("One.", None, ""), ("Two.", 0.2, "mark")],
        "perturbed": [("Two!", 0.2, "mark"), ("One.", None, "")],
        "links": [(1, 0, 0.5)],
    }


def test_segments_of_another_answer_are_not_shown() -> None:
    segment = {"side": "clean", "text": "Three.", "start": 0, "drift": 0.2, "reason": ""}
    assert linked_segments("One.", "Two.", [segment]) is None
