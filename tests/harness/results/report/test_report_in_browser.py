"""The page of a report in a real browser: filters, order, links, keys, accessibility, sizes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.harness.actions.reporting import write_report
from tests.harness.results.report.conftest import Tab, answering, lines, run_of, trains


def shown(page: Any) -> list[str]:
    """The second lines of the rows that are shown: perturbation, adapter and task."""
    return page.locator("#rows .pick .sub").all_inner_texts()


def column(page: Any, place: int) -> list[str]:
    return page.locator(f"#rows tr:not(.detail) td:nth-child({place})").all_inner_texts()


def choose(page: Any, name: str, value: str) -> None:
    page.locator(f"#filters [name={name}]").select_option(label=value)


def test_the_page_opens_without_network_or_complaint(tab: Tab, checked_page: Path) -> None:
    tab.open(checked_page.as_uri())
    assert not tab.complaints
    assert [url for url in tab.requests if not url.startswith(("file:", "data:", "blob:"))] == []


def test_the_verdict_is_read_without_javascript(browser: Any, checked_page: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(checked_page.as_uri())
    assert page.locator("h1").inner_text().startswith("✕FAIL")
    assert page.locator("#overview table").count() == 2
    assert page.locator("#patterns table.heat td a").count() == 8
    assert "need JavaScript" in page.locator("noscript").inner_text()
    context.close()


def test_the_candidates_answers_come_first_worst_on_top(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    assert all("· new ·" in text for text in shown(page))
    assert column(page, 3)[:3] == ["−1.00 ▼"] * 3
    assert page.locator("#count").inner_text() == "360 of 720 answers"


@pytest.mark.parametrize(
    ("name", "value", "holds"),
    [
        ("adapter", "old", lambda text: "· old ·" in text),
        ("perturbation", "typos", lambda text: text.startswith("typos@")),
        ("severity", "heavy", lambda text: "@heavy" in text),
        ("task", "trains", lambda text: text.endswith("· trains")),
    ],
)
def test_a_filter_keeps_its_answers(tab: Tab, checked_page: Path, name: str, value: str, holds: Callable) -> None:
    page = tab.open(checked_page.as_uri())
    choose(page, name, value)
    assert shown(page)
    assert all(map(holds, shown(page)))


def test_a_group_of_samples_can_be_chosen(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    page.get_by_role("link", name="new, night").click()
    numbers = [int(text.split("\n")[0].removeprefix("s")) for text in column(page, 1)]
    assert all(number % 2 for number in numbers)
    assert page.locator("#filters [name=group]").input_value() == '"night"'
    assert page.locator("#count").inner_text() == "180 of 720 answers"


def test_a_long_list_of_values_says_how_many_are_left_out(
    tab: Tab, tmp_path: Path, page_of: Callable[..., Path]
) -> None:
    samples = [replace(sample, metadata={"group": f"g{i}"}) for i, sample in enumerate(trains(63).samples)]
    run = run_of(
        tmp_path / "run",
        answering(),
        tasks=[replace(trains(1), samples=tuple(samples))],
        adapters="new=pocket-narrow",
        perturbations="typos@light",
    )
    page = tab.open(page_of(run).as_uri())
    assert page.locator("#filters [name=group] option").all_inner_texts()[-1] == "3 more are not listed"


def test_worse_and_better_answers_can_be_chosen(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    choose(page, "outcome", "worse")
    assert set(column(page, 3)) == {"−1.00 ▼"}
    choose(page, "outcome", "better")
    assert all(text.endswith("▲") for text in column(page, 3))


def test_clear_shows_all_answers(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    page.get_by_role("button", name="Clear").click()
    assert page.locator("#count").inner_text() == "720 answers"


def test_search_finds_prompts_and_answers(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    page.keyboard.press("/")
    page.keyboard.type("11:40")
    assert all(change == "−1.00 ▼" for change in column(page, 3))
    assert "11:40" in page.locator("#detail").inner_text()
    page.keyboard.press("Control+A")
    page.keyboard.type("no such text")
    assert shown(page) == []
    assert page.locator("#count").inner_text() == "0 of 720 answers"


def test_headings_sort_and_say_so(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    head = page.locator("th[data-sort=drift]")
    assert head.get_attribute("aria-sort") is None
    drifts = []
    for direction in ("descending", "ascending"):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == direction
        drifts.append([float(text) for text in column(page, 2) if text != "–"])
    assert drifts[0] == sorted(drifts[0], reverse=True)
    assert drifts[1] == sorted(drifts[1])
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") is None


def test_a_link_opens_the_same_view(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    choose(page, "perturbation", "typos")
    page.locator("th[data-sort=sample] button").click()
    page.locator("#rows .pick").nth(7).click()
    before = page.locator("#rows").inner_text(), page.locator("#count").inner_text()
    address = page.url
    page.goto("about:blank")
    tab.open(address)
    assert (page.locator("#rows").inner_text(), page.locator("#count").inner_text()) == before


def test_the_back_button_undoes_a_filter(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    choose(page, "severity", "heavy")
    choose(page, "adapter", "old")
    page.go_back()
    assert all("@heavy · new" in text for text in shown(page))
    page.go_back()
    assert page.locator("#count").inner_text() == "360 of 720 answers"


def test_a_cell_of_the_heat_map_leads_to_its_answers(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    page.get_by_role("link", name="old, trains, word_deletion@light").click()
    assert set(shown(page)) == {"word_deletion@light · old · trains"}


def test_arrow_keys_go_through_the_answers(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    samples = column(page, 1)
    for key, place in (("ArrowRight", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("ArrowLeft", 0), ("ArrowLeft", 0)):
        page.keyboard.press(key)
        assert page.locator("tr.open td").first.inner_text() == samples[place]
        assert page.locator(":focus").get_attribute("aria-expanded") == "true"


def test_the_arrow_keys_turn_pages(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    page.locator("#rows .pick").last.click()
    page.keyboard.press("ArrowRight")
    assert page.locator("#page-name").inner_text() == "Page 2 of 8"
    assert page.locator("#rows tr").first.get_attribute("class") == "open"


def test_a_row_opens_and_closes(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    pick = page.locator("#rows .pick").nth(3)
    pick.press("Enter")
    assert page.locator("#rows .pick").nth(3).get_attribute("aria-expanded") == "true"
    assert page.locator("#detail").count() == 1
    page.locator("#rows .pick").nth(3).press("Enter")
    assert page.locator("#detail").count() == 0


def test_runs_that_share_keys_are_told_apart(tab: Tab, compared: Path, tmp_path: Path) -> None:
    other = run_of(tmp_path / "other", answering(old=3, new=3))
    assert {row["key"] for row in lines(other)} == {row["key"] for row in lines(compared)}
    [written] = write_report([compared, other], output_path=tmp_path / "report.html")
    page = tab.open(f"{written.as_uri()}#answers?q=s007&perturbation=typos&severity=light&sort=sample")
    rows = shown(page)
    assert len(rows) == len(set(rows)) == 4  # two runs, two adapters each
    for place in reversed(range(4)):
        page.locator("#rows .pick").nth(place).click()
        assert page.locator("tr.open .pick .sub").inner_text() == rows[place]
    walked = [rows[0]]
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        walked.append(page.locator("tr.open .pick .sub").inner_text())
    assert walked == rows
    opened = page.locator("#detail").inner_text()
    tab.page.reload()
    page.wait_for_selector("#detail")
    assert page.locator("tr.open .pick .sub").inner_text() == rows[3]
    assert page.locator("#detail").inner_text() == opened


def test_an_unknown_order_in_a_link_is_no_order(tab: Tab, checked_page: Path) -> None:
    page = tab.open(f"{checked_page.as_uri()}#answers?sort=-linked")
    assert page.locator("#count").inner_text() == "720 answers"
    assert column(page, 3)[:3] == ["−1.00 ▼"] * 3
    assert not tab.complaints


def test_pages_hold_fifty_answers(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    assert len(shown(page)) == 50
    assert page.get_by_role("button", name="Previous 50").is_disabled()
    page.get_by_role("button", name="Next 50").click()
    assert page.locator("#page-name").inner_text() == "Page 2 of 8"
    assert page.url.endswith("page=2")


def test_segments_are_joined_by_lines_as_wide_as_their_mass(tab: Tab, compared: Path, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    choose(page, "outcome", "worse")
    assert page.locator("#detail .segments").count() == 2
    page.wait_for_selector("#detail .links path", state="attached")
    paths = page.locator("#detail .links path")
    [answer] = [row for row in lines(compared) if row["key"] in page.locator("#detail code").inner_text()]
    [mass] = {link[2] for segment in answer["segments"] for link in segment["links"]}
    assert [path.get_attribute("stroke-width") for path in paths.all()] == [f"{12 * mass:.1f}"]
    segments = page.locator("#detail .segments").first.locator("li").all_inner_texts()
    assert any("10:15" in text and "↔ 2" in text and "drift" in text for text in segments)


def test_edits_are_marked_in_the_prompt(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    choose(page, "perturbation", "word_deletion")
    assert page.locator("#detail del").first.inner_text().strip()
    kept = page.locator("#detail .text").first.inner_text()
    assert kept.startswith("When") or "train" in kept


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_axe_finds_nothing_serious(browser: Any, checked_page: Path, scheme: str, width: int) -> None:
    pytest.importorskip("axe_playwright_python", reason="needs axe: pip install axe-playwright-python")
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    Tab(page).open(checked_page.as_uri())
    found = Axe().run(page).response["violations"]
    page.close()
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_window(tab: Tab, checked_page: Path, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": 900})
    page = tab.open(checked_page.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_print_leaves_out_what_only_a_screen_needs(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    assert not page.locator(".top").is_visible()
    assert page.locator("h1").is_visible()


def test_motion_is_reduced_when_asked(tab: Tab, checked_page: Path) -> None:
    page = tab.open(checked_page.as_uri())
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(behaviour) == "auto"


def test_the_largest_page_has_few_nodes(tab: Tab, tmp_path: Path, page_of: Callable[..., Path]) -> None:
    names = ("pocket-steady", "pocket-narrow")
    run = run_of(
        tmp_path / "run",
        answering(**{f"a{i}": 1 + i % 2 for i in range(14)}),
        tasks=[trains(2), trains(2, "more"), trains(2, "most")],
        adapters=",".join(f"a{i}={names[i % 2]}" for i in range(14)),
    )
    page = tab.open(page_of(run, baseline="a0", candidate="a1").as_uri())
    assert page.locator(".heat td").count() > 150
    assert page.locator("#rows .pick").count() <= 50
    assert page.evaluate("document.querySelectorAll('*').length") <= 2000
