"""What a check can detect, on a screen."""

from collections.abc import Sequence

from holdfast.errors import printable
from holdfast.harness.results.check.printing.screen import by_task
from holdfast.harness.results.check.sample_plan import PlannedPrimary
from holdfast.harness.results.intervals import number
from holdfast.harness.results.layout.wrapping import wrapped
from holdfast.harness.results.shortening import shorten

_NAME = 28


def plan_table(planned: Sequence[PlannedPrimary], *, alpha: float, power: float) -> str:
    """Return a table of at most 78 columns: a row for each primary metric."""
    lines = [f"{'':{_NAME + 2}} {'samples':>8} {'detectable':>11} {'margin':>8} {'needed':>8}"]
    for heading, mine in by_task(planned):
        lines.append(heading)
        for each in mine:
            lines += _rows(each)
    lines.append("")
    lines += wrapped(
        f"detectable: smallest change that this many samples show with power {power:.0%} ({1 - alpha:.0%} intervals); "
        "needed: samples with which an unchanged candidate passes with that power"
    )
    return "\n".join(lines)


def _rows(planned: PlannedPrimary) -> list[str]:
    margin = "-" if planned.budget.margin is None else f"{planned.budget.margin:g}"
    needed = "-" if planned.needed is None else f"{planned.needed:,}"
    shown = f"{planned.samples:>8,} {number(planned.detectable):>11} {margin:>8} {needed:>8}"
    row = f"  {shorten(printable(planned.metric), _NAME):<{_NAME}} {shown}"
    return [row, *wrapped(planned.problem, "    ")] if planned.problem else [row]
