"""The result of a check on a screen: at most 78 columns, the verdict first."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from holdfast.errors import printable
from holdfast.harness.results.check.outcome import CheckResult, GroupChange, PrimaryResult, Verdict, WorstAnswer
from holdfast.harness.results.check.sample_plan import PlannedPrimary
from holdfast.harness.results.intervals import number
from holdfast.harness.results.layout.wrapping import WIDTH, wrapped
from holdfast.harness.results.shortening import shorten

_NAME = 22
_SHOWN = 3
_GROUPS = 6
_MARKS = {Verdict.PASS: "pass", Verdict.FAIL: "FAIL", Verdict.UNDECIDED: "?"}

Row = TypeVar("Row", PrimaryResult, PlannedPrimary)


def screen(result: CheckResult) -> str:
    """Return the result as text of at most 78 columns; only commands and paths may be longer."""
    return "\n".join(_lines(result))


def verdict_sentence(result: CheckResult) -> str:
    """Return the verdict in a sentence."""
    counts = {verdict: sum(each.verdict is verdict for each in result.primaries) for verdict in Verdict}
    failed, undecided = counts[Verdict.FAIL], counts[Verdict.UNDECIDED]
    total = len(result.primaries)
    if failed:
        more = f", {undecided} undecided" if undecided else ""
        return f"{result.verdict}: {failed} of {total} primary metrics got worse than allowed{more}"
    if undecided:
        return f"{result.verdict}: {undecided} of {total} primary metrics need more samples or wider margins"
    return f"{result.verdict}: no primary metric got worse than allowed"


def percent(share: float) -> str:
    """Return a share as a percentage: 95 %, 99.7 %."""
    return f"{100 * share:.3g} %"


def change(found: PrimaryResult | GroupChange) -> str:
    """Return the change with its interval."""
    if math.isnan(found.change):
        return "not scored"
    if math.isnan(found.low):
        return f"{found.change:+.3f} [no interval]"
    return f"{found.change:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def further(primary: PrimaryResult) -> str:
    """Return how many more samples would decide, in words; empty if none would or none are needed."""
    return f"about {primary.further:,} more samples would probably decide" if primary.further else ""


def explanation(primary: PrimaryResult) -> str:
    """Return why a metric did not pass, and how many more samples would decide; empty if it passed."""
    return "; ".join(part for part in (primary.reason, further(primary)) if part)


def worst_group(result: CheckResult) -> str:
    """Say in which group of samples the deciding metric got worst; empty if in none."""
    group = result.worst_group
    if group is None:
        return ""
    among = sum((each.task, each.metric) == (group.task, group.metric) for each in result.groups)
    return (
        f"worst of {among} groups: {group.group}, {number(group.old)} -> {number(group.new)}, change {change(group)} "
        f"({group.samples} samples; exploratory, groups decide nothing)"
    )


def by_task(rows: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Yield the rows of each task, below a heading: the task, and the score that `clean` and `perturbed` measure."""
    listed = list(rows)
    for task in dict.fromkeys(row.task for row in listed):
        mine = [row for row in listed if row.task == task]
        headline = next((f": {row.score}" for row in mine if row.score != row.metric), "")
        yield shorten(printable(f"{task}{headline}"), WIDTH), mine


def what_was_compared(result: CheckResult) -> str:
    """Return the samples, the tasks and the perturbations in a sentence."""
    total = sum(result.tasks.values())
    tasks = ", ".join(f"{name} {count:,}" for name, count in result.tasks.items())
    disturbed = f"; perturbations: {', '.join(result.perturbations)}" if result.perturbations else ""
    prompts = f"; prompts {result.variants[:12]}" if result.variants else ""
    return f"{total:,} samples ({tasks}){disturbed}{prompts}"


def _lines(result: CheckResult) -> Iterator[str]:
    yield from wrapped(verdict_sentence(result))
    yield ""
    yield printable(f"  baseline   {result.baseline}")
    yield printable(f"  candidate  {result.candidate}")
    yield from wrapped(what_was_compared(result), "  ")
    if result.same_adapter:
        yield from wrapped("both are the same adapter: whatever differs is noise", "  ")
    if result.looks:
        yield from wrapped(_looks(result), "  ")
    if result.false_fails is not None:
        sides = f"with the sides exchanged at random, {result.false_fails:.1%} of checks fail"
        yield from wrapped(f"self-test: {sides} (at most {result.settings.alpha / 2:.1%} wanted)", "  ")
    for warning in result.warnings:
        yield from wrapped(f"WARNING: {warning}", "  ")
    interval = f"change [{percent(result.confidence)}]"
    yield ""
    yield f"{'':{_NAME + 2}} {'old':>6} {'new':>6}  {interval:<23} {'allowed':>7}"
    for heading, primaries in by_task(result.primaries):
        yield heading
        for primary in primaries:
            yield from _rows(primary)
            mine = (primary.task, primary.metric)
            yield from _groups([each for each in result.groups if (each.task, each.metric) == mine])
    yield ""
    yield from _findings(result)


def _looks(result: CheckResult) -> str:
    used, saved = result.looks[-1].samples, result.planned - result.looks[-1].samples
    looks = ", ".join(f"{look.share:.0%} {look.verdict}" for look in result.looks)
    return f"looked at {looks}: used {used:,} of {result.planned:,} samples, saved {saved:,}"


def _rows(primary: PrimaryResult) -> Iterator[str]:
    name = shorten(printable(primary.metric), _NAME)
    allowed = "" if primary.allowed is None else f"{primary.allowed:+.3f}"
    values = f"{number(primary.old):>6} {number(primary.new):>6}  {change(primary):<23} {allowed:>7}"
    yield f"  {name:<{_NAME}} {values} {_MARKS[primary.verdict]}"
    if primary.budget.limit is not None:
        ends = "" if math.isnan(primary.new_low) else f" [{number(primary.new_low)}, {number(primary.new_high)}]"
        bound = "at least" if primary.higher_is_better else "at most"
        yield f"    limit: {bound} {primary.budget.limit:g}, new {number(primary.new)}{ends}"
    if primary.floor > 0:
        yield f"    noise floor: {number(primary.floor)} (the same prompt, asked again)"
    if primary.unscorable:
        yield from wrapped(f"{primary.unscorable} of {primary.pairs} pairs could not be scored", "    ")
    if primary.verdict is Verdict.FAIL:
        yield from wrapped(primary.reason, "    ")
    if primary.verdict is Verdict.UNDECIDED:
        yield from wrapped(f"undecided: {further(primary) or primary.reason}", "    ")


def _groups(groups: Sequence[GroupChange]) -> Iterator[str]:
    """Yield a row for each group, the worst first; no more than a few, which is all that fits."""
    for group in groups[:_GROUPS]:
        name = shorten(printable(group.group), _NAME - 2)
        yield f"    {name:<{_NAME - 2}} {number(group.old):>6} {number(group.new):>6}  {change(group)}"
    if len(groups) > _GROUPS:
        yield f"    {len(groups) - _GROUPS} more groups (--json has all)"


def _findings(result: CheckResult) -> Iterator[str]:
    """Say where the deciding metric got worse."""
    primary = result.deciding
    counts = f"of {primary.samples:,} samples, {primary.worse:,} got worse, {primary.better:,} better"
    yield from wrapped(f"{primary.task}, {primary.name}: {counts}")
    if cell := result.worst_cell:
        severity = f"@{cell.severity}" if cell.severity else ""
        values = f"{number(cell.old)} -> {number(cell.new)} ({cell.samples} samples)"
        yield from wrapped(f"worst cell: {cell.perturbation}{severity}, {values}")
    if note := worst_group(result):
        yield from wrapped(note)
    for trait in result.traits:
        yield from wrapped(
            f"more often where {trait.what}: {trait.share:.0%} got worse there, {trait.elsewhere:.0%} elsewhere "
            f"(p = {trait.p:.1g})"
        )
    for place, answer in enumerate(result.worst[:_SHOWN], 1):
        yield from _worst(place, answer)


def in_words(answer: WorstAnswer) -> str:
    """Return what became worse in an answer: its worst segment's difference, or both outputs."""
    if answer.reason:
        drift = "" if math.isnan(answer.drift) else f", drift {answer.drift:.2f}"
        return f"{answer.reason}{drift}"
    old, new = (shorten(" ".join(text.split()), 60) for text in (answer.old_output, answer.new_output))
    return f'"{old}" became "{new}"'


def _worst(place: int, answer: WorstAnswer) -> Iterator[str]:
    yield from wrapped(f"{place}. {answer.place}: {answer.metric} {number(answer.old)} -> {number(answer.new)}")
    yield from wrapped(in_words(answer), "   ")
    if answer.command:
        yield printable(f"   {answer.command}")
