"""Make the pictures of a report that README and docs/report.md show.

    python benchmarks/report/pictures.py [--chromium /usr/bin/chromium] [--out results]

The adapters are the two that come with the package. `report.png` is the top of a report on requests that must be
refused; `report_answers.png` shows the first summary that one adapter writes worse than the other.
"""

import argparse
import tempfile
from contextlib import chdir
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from holdfast.harness.cli import main as holdfast

STEADY, NARROW = "pocket-steady", "pocket-narrow"
RUN = f"run --adapters {STEADY},{NARROW} --severity light --log_samples"
WIDTH, HEIGHT, TALL = 1100, 800, 1000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--chromium", default="/usr/bin/chromium")
    arguments.add_argument("--out", type=Path, default=Path("results"))
    args = arguments.parse_args()
    out = args.out.absolute()
    with tempfile.TemporaryDirectory() as folder, chdir(folder), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
        tab.goto(report("attack_success", "typos", baseline=NARROW, candidate=STEADY).as_uri())
        tab.wait_for_selector("#rows tr")
        tab.screenshot(path=out / "report.png")
        tab.goto(report("dialogue_summary", "typos,word_deletion", baseline=STEADY, candidate=NARROW).as_uri())
        tab.wait_for_selector("#rows tr")
        open_first_that_is_worse(tab)
        tab.screenshot(path=out / "report_answers.png")
        browser.close()


def report(task: str, perturbations: str, *, baseline: str, candidate: str) -> Path:
    """Run a task in the working directory, and return the page of its report."""
    run, page = f"results/{task}", Path(f"{task}.html").absolute()
    assert holdfast([*RUN.split(), "--tasks", task, "--perturbations", perturbations, "--output_path", run]) == 0
    assert holdfast(["report", run, "--baseline", baseline, "--candidate", candidate, "-o", str(page)]) == 0
    return page


def open_first_that_is_worse(tab: Page) -> None:
    """Show only answers of the candidate that are worse than the baseline's, and open the first."""
    tab.set_viewport_size({"width": WIDTH, "height": TALL})
    tab.select_option("[name=adapter]", label=NARROW)
    tab.select_option("[name=outcome]", label="worse")
    tab.locator("#rows tr").first.click()
    tab.locator("#answers-title").evaluate("title => title.scrollIntoView()")


if __name__ == "__main__":
    main()
