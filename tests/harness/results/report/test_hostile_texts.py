"""Whatever a prompt or an answer contains is shown as text: it runs nothing, and breaks no layout."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from holdfast.harness.actions.reporting import write_report
from holdfast.harness.backends import Request
from holdfast.harness.store.manifest import read_manifest
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake
from tests.harness.results.report.conftest import Tab, run_of

TEXTS = {
    "markup": ("<b>bold</b><img src=x onerror=alert(1)>", "<b>bold</b><img src=x onerror=alert(1)>"),
    "script": ("</script><script>alert(1)</script><!--", "</script><script>alert(1)</script><!--"),
    "ansi": (
        "\x1b[31mred\x1b]8;;http://example.com\x07link",
        "⟨U+001B⟩[31mred⟨U+001B⟩]8;;http://example.com⟨U+0007⟩link",
    ),
    "bidi": ("user\u202egnp.exe \u2066x", "user⟨U+202E⟩gnp.exe ⟨U+2066⟩x"),
    "formula": (
        '=HYPERLINK("http://example.com","x") {{ 7 * 7 }} ${alert(1)}',
        '=HYPERLINK("http://example.com","x") {{ 7 * 7 }} ${alert(1)}',
    ),
    "surrogate": ("half \ud83d of a pair", "half ⟨U+D83D⟩ of a pair"),
    "nul": ("before\0after", "before⟨U+0000⟩after"),
    "separators": ("one\u2028two\u2029three\u0085four", "⟨U+2028⟩"),
    "marks": ("Z" + "\u0301" * 500 + "algo", "algo"),
}
"""What a model may answer, and what the page must show of it."""

KEY = "'; touch \u202eowned; $(id) `id` \""
"""How the keys of a run end that others wrote."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run whose names, prompts and answers are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    samples = [
        Sample(f"the-{name}-one", f"Please repeat this text now: {text}", (text,)) for name, (text, _) in TEXTS.items()
    ]
    samples.append(Sample("<i>" + "long" * 100, "Please write a very long line for me", ("x",)))

    def rule(request: Request) -> str:
        asked = request.prompt.casefold()
        found = next((text for text, _ in TEXTS.values() if text.casefold() in asked), "a" * 1_000_000)
        return found if request.prompt.startswith("Please") else f"{found} and more"

    task = Task("tasks/</script>", tuple(samples), ("exact_match",))
    adapters = '"><script>alert(1)</script>=pocket-steady'
    run = run_of(folder / "run</title>", Fake(rule=rule), tasks=[task], adapters=adapters, perturbations="case@0.2")
    with_hostile_keys(run)
    [written] = write_report([run], output_path=folder / "report.html")
    return written


def with_hostile_keys(run: Path) -> None:
    """Let the keys of a run end in `KEY`; as a run that is going on, it is not compared with its digest."""
    written = [json.loads(line) for line in (run / "samples.jsonl").open("rb")]
    changed = [line | {"key": line["key"] + KEY} for line in written]
    (run / "samples.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in changed))
    manifest = read_manifest(run)
    assert manifest
    manifest.status = "running"
    manifest.write(run)


def detail(page: Any, sample: str) -> str:
    """What the page shows of a sample's first answer."""
    page.locator("#filters [name=q]").fill(sample)
    return str(page.locator("#detail").inner_text())


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_shown_as_text(tab: Tab, page: Path, name: str) -> None:
    opened = tab.open(page.as_uri())
    assert TEXTS[name][1] in detail(opened, f"the-{name}-one")
    assert not tab.complaints
    assert [url for url in tab.requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.parametrize("width", [360, 1400])
def test_no_hostile_text_widens_the_page(tab: Tab, page: Path, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": 900})
    opened = tab.open(page.as_uri())
    for name in TEXTS:
        detail(opened, f"the-{name}-one")
        assert opened.evaluate("document.documentElement.scrollWidth") <= width, name


def test_a_long_line_is_cut_and_says_by_how_much(tab: Tab, page: Path) -> None:
    opened = tab.open(page.as_uri())
    assert "⟨999,400 characters left out⟩" in detail(opened, "longlong")
    assert page.stat().st_size < 200_000


def test_only_the_pages_own_scripts_may_run(tab: Tab, page: Path) -> None:
    opened = tab.open(page.as_uri())
    opened.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    assert opened.evaluate("window.ran") is None
    assert "Content Security Policy" in tab.complaints[0]


def test_names_are_shown_as_text(tab: Tab, page: Path) -> None:
    opened = tab.open(page.as_uri())
    assert '"><script>alert(1)</script>' in opened.locator("#overview").inner_text()
    assert "tasks/</script>" in opened.locator("#patterns").inner_text()
    assert opened.title().endswith("run</title>")


def test_the_command_is_quoted_for_a_shell(tab: Tab, page: Path) -> None:
    opened = tab.open(page.as_uri())
    words = shlex.split(opened.locator("#detail code").inner_text())
    assert words[:2] == ["holdfast", "explain"]
    assert words[2].endswith("run</title>")
    assert words[3].endswith(KEY.replace("\u202e", "⟨U+202E⟩"))
    assert len(words) == 4
