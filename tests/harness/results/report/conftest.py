"""Fixtures: a run on the fake engine, its reports, and a real browser to open them in."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast import evaluate
from holdfast.harness.actions.reporting import write_report
from holdfast.harness.backends import Request
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

RIGHT = "The train to Lyon leaves at 10:15. It has a restaurant car."
WRONG = "It has a restaurant car. The train to Lyon leaves at 11:40."


def trains(count: int, name: str = "trains") -> Task:
    """A task of which RIGHT is the answer to every question."""
    samples = tuple(
        Sample(
            f"s{i:03}", f"When does the train number {i} leave for Lyon?", (RIGHT,), {"group": ("day", "night")[i % 2]}
        )
        for i in range(count)
    )
    return Task(name, samples, ("exact_match",))


def answering(**every: int) -> Fake:
    """An engine whose adapters answer every n-th perturbed prompt wrongly; clean ones are answered rightly."""

    def rule(request: Request) -> str:
        clean = request.prompt.startswith("When does the train number") and request.prompt.endswith("leave for Lyon?")
        number = int("".join(filter(str.isdigit, request.prompt)) or 0)
        n = every.get(request.adapter, 0)
        return WRONG if n and not clean and number % n == 0 else RIGHT

    return Fake(rule=rule)


def run_of(folder: Path, fake: Fake, **settings: Any) -> Path:
    """Run two adapters on the fake engine, and return the run's folder."""
    chosen = {
        "tasks": [trains(60)],
        "adapters": "old=pocket-steady,new=pocket-narrow",
        "perturbations": "typos,word_deletion",
        "severity": "light,heavy",
        "encoder": "lexical",
        "min_meaning": 0,
        "log_samples": True,
    }
    return evaluate(backend=fake, output_path=str(folder), **{**chosen, **settings}).path


def lines(run: Path) -> list[dict[str, Any]]:
    """The lines of a run's samples.jsonl."""
    return [json.loads(line) for line in (run / "samples.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose adapter `new` answers more prompts wrongly than `old`."""
    return run_of(tmp_path_factory.mktemp("compared") / "run", answering(old=7, new=2))


@pytest.fixture(scope="session")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A function that writes the report of a run and returns its path."""

    def written(run: Path, **settings: Any) -> Path:
        [page] = write_report([run], output_path=tmp_path_factory.mktemp("report") / "report.html", **settings)
        return page

    return written


@pytest.fixture(scope="session")
def checked_page(compared: Path, page_of: Callable[..., Path]) -> Path:
    """The report of `compared`, with its check."""
    return page_of(compared, baseline="old", candidate="new")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; tests are skipped where it, or what drives it, is not installed."""
    driver = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with driver.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield started
        started.close()


class Tab:
    """A tab with a page in it, and everything that the page complained of or asked the network for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, address: str, *, rows: bool = True) -> Any:
        """Go to an address and wait until the answers are shown."""
        self.page.goto(address)
        if rows:
            self.page.wait_for_selector("#rows tr")
        return self.page


@pytest.fixture
def tab(browser: Any) -> Iterator[Tab]:
    """A new tab, of 1,400 by 900 pixels."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(20_000)
    made = Tab(page)
    yield made
    page.close()
