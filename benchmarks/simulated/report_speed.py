"""Time `holdfast report` on a run with many answers, and how its page opens and filters in Chromium.

    python benchmarks/simulated/report_speed.py [--answers 10000,100000] [--chromium /usr/bin/chromium]

The answers are simulated: right, or wrong for a share of the perturbed prompts that differs
between the two adapters. The report runs in a process of its own, three times; the table has the median, and the
processor time of the same run, which tells how much of it was spent waiting for other programs; compiled modules are
kept between the three, as on a user's machine. A page is
opened three times, from a file, in a new tab; opening ends when its first rows are drawn. A filter is timed from the
change of a field until the rows are drawn, the median of ten; the memory is that of the tab's own process.
"""

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from answering import PLAN, answering
from process_memory import COMMAND, peak_printed

from holdfast import evaluate
from holdfast.harness.backends import Request
from holdfast.tasks import Sample, Task

ADAPTERS = {"pocket-steady": 0.1, "pocket-narrow": 0.3}
"""The share of perturbed prompts that each answers wrongly."""

ANSWERS = 10
"""Answers per sample and adapter: clean, repeated, and four repeats of two perturbations."""

OPEN = """async () => {
  while (!document.querySelector("#rows tr")) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now();
}"""
"""Milliseconds from the start of navigation until the first rows are drawn."""

FILTER = """async ([name, value]) => {
  const field = document.getElementById("filters").elements[name];
  const start = performance.now();
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.body.getBoundingClientRect();
  return performance.now() - start;
}"""
"""Milliseconds from the change of a filter until its rows are laid out."""

RIGHT = "The night train leaves Lyon at 22:10 from platform 4. It has a restaurant car."

WANTED = {10_000: 10, 100_000: 60}
"""Seconds that a report may take."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--answers", default="10000,100000")
    arguments.add_argument("--chromium", default="/usr/bin/chromium")
    args = arguments.parse_args()
    for count in map(int, args.answers.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            make_run(count, f"{folder}/run")
            page = Path(folder, "report.html")
            seconds, busy, peak = time_report(f"{folder}/run", page)
            print(f"{count:,} answers")
            wanted = f" (at most {WANTED[count]} wanted)" if count in WANTED else ""
            print(f"  report      {seconds:6.1f} s{wanted}; {busy:.1f} s of processor time, peak {peak} MiB")
            print(f"  page        {page.stat().st_size / 1e6:6.2f} MB (at most 5 wanted)")
            for line in in_browser(page, args.chromium):
                print(f"  {line}", flush=True)


def make_run(count: int, folder: str) -> None:
    """Make a run with this many answers, over both adapters."""
    questions = (f"Question {i}: when does train {i} leave Lyon?" for i in range(count // ANSWERS // len(ADAPTERS)))
    task = Task("many", tuple(Sample(str(i), text, (RIGHT,)) for i, text in enumerate(questions)), ("exact_match",))
    evaluate(
        tasks=[task],
        backend=answering(answer),
        adapters=",".join(ADAPTERS),
        **PLAN,
        output_path=folder,
    )


def answer(request: Request) -> str:
    draw = random.Random(request.prompt)
    clean = request.prompt.startswith("Question") and request.prompt.endswith("Lyon?")
    if clean or draw.random() >= ADAPTERS[request.adapter]:
        return RIGHT
    hour, platform = draw.randrange(24), draw.randrange(1, 20)
    return f"The night train leaves Lyon at {hour}:40 from platform {platform}. It has a restaurant car."


def time_report(run: str, page: Path) -> tuple[float, float, int]:
    """Return the median seconds of three reports with a check, its processor time, and the peak memory in MiB."""
    baseline, candidate = ADAPTERS
    command = [sys.executable, "-c", COMMAND, "report", run, "--baseline", baseline, "--candidate", candidate]
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(3):
        start, used = time.perf_counter(), processor_time()
        done = subprocess.run([*command, "-o", str(page)], capture_output=True, text=True, env=usual)
        times.append((time.perf_counter() - start, processor_time() - used))
        assert done.returncode == 0, done.stderr
    return *sorted(times)[1], peak_printed(done.stdout)


def processor_time() -> float:
    """Return the seconds of processor time of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def in_browser(page: Path, chromium: str) -> Iterator[str]:
    """Yield what opening, filtering and searching the page costs in Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = []
        for _ in range(3):
            tab = browser.new_page()
            tab.goto(page.as_uri(), wait_until="commit")
            opened.append(tab.evaluate(OPEN))
            nodes = tab.evaluate("document.querySelectorAll('*').length")
        yield f"opens in    {statistics.median(opened):6.0f} ms (under 1000 wanted)"
        for what, name, values in (
            ("filter", "outcome", ('"worse"', '"better"')),
            ("search", "q", ("restaurant", "platform 7")),
        ):
            times = [tab.evaluate(FILTER, [name, values[i % 2]]) for i in range(10)]
            yield f"{what}      {statistics.median(times):6.0f} ms (under 100 wanted; first {times[0]:.0f})"
        yield f"nodes       {nodes:6d} (at most 2,000 wanted)"
        processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        tabs = [private_mebibytes(each["id"]) for each in processes if each["type"] == "renderer"]
        yield f"memory      {max(tabs):6.0f} MiB (at most 300 wanted in the tab)"
        browser.close()


def private_mebibytes(process: int) -> int:
    """Return the memory that a process shares with no other."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text("utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) >> 10


if __name__ == "__main__":
    main()
