"""The result of a check as Markdown, for one comment on a pull request that each push replaces."""

import re

from holdfast.errors import printable
from holdfast.harness.results.check.outcome import CheckResult, PrimaryResult, Verdict, WorstAnswer
from holdfast.harness.results.check.printing.screen import (
    change,
    explanation,
    in_words,
    percent,
    verdict_sentence,
    what_was_compared,
    worst_group,
)
from holdfast.harness.results.intervals import number
from holdfast.harness.results.layout.markdown_text import markdown_text
from holdfast.harness.results.shortening import shorten
from holdfast.harness.store.records import CLEAN

MARKER = "<!-- holdfast check -->"
"""The first line, by which the comment of an earlier push is found."""

LIMIT = 60_000
"""Bytes of the longest comment; GitHub refuses more than 65,536 characters."""

_BOXES = {Verdict.PASS: "TIP", Verdict.FAIL: "CAUTION", Verdict.UNDECIDED: "WARNING"}
_TEXT = 2_000


def markdown(result: CheckResult) -> str:
    """Return the comment: the verdict, a table of primary metrics, the worst answers folded, how to repeat it.

    It stays under 60,000 bytes: the worst answers are left out first, then rows of the table.
    """
    for answers in range(len(result.worst), -1, -1):
        text = _comment(result, result.primaries, answers)
        if len(text.encode()) < LIMIT:
            return text
    rows = len(result.primaries)
    while len(text.encode()) >= LIMIT and rows > 1:
        rows //= 2
        text = _comment(result, sorted(result.primaries, key=lambda each: each.verdict is Verdict.PASS)[:rows], 0)
    return text


def _comment(result: CheckResult, primaries: "tuple[PrimaryResult, ...] | list[PrimaryResult]", answers: int) -> str:
    parts = [
        MARKER,
        f"> [!{_BOXES[result.verdict]}]\n> **{_text(verdict_sentence(result))}**",
        f"{_code(result.baseline)} → {_code(result.candidate)}  \n{_text(what_was_compared(result))}",
        _table(result, primaries),
    ]
    if len(primaries) < len(result.primaries):
        parts.append(f"{len(result.primaries) - len(primaries)} more metrics are left out.")
    if note := worst_group(result):
        parts.append(_text(note))
    parts += [f"_{_text(warning)}_" for warning in result.warnings]
    if answers:
        folded = "\n\n".join(_answer(answer) for answer in result.worst[:answers])
        parts.append(f"<details><summary>The {answers} worst answers</summary>\n\n{folded}\n\n</details>")
    if result.command:
        parts.append(f"Repeat with:\n\n{_block(result.command)}")
    return "\n\n".join(parts) + "\n"


def _table(result: CheckResult, primaries: "tuple[PrimaryResult, ...] | list[PrimaryResult]") -> str:
    rows = [
        f"| task | metric | old | new | change [{percent(result.confidence)}] | allowed | limit | |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for each in primaries:
        allowed = "" if each.allowed is None else f"{each.allowed:+g}"
        limit = "" if each.budget.limit is None else f"{each.budget.limit:g}"
        said = "; ".join(part for part in (str(each.verdict), explanation(each)) if part)
        cells = (_text(each.task), _text(each.name), number(each.old), number(each.new), change(each), allowed, limit)
        rows.append(f"| {' | '.join(cells)} | {_text(said)} |")
    return "\n".join(rows)


def _answer(answer: WorstAnswer) -> str:
    head = f"**{_text(answer.place)}**: {_text(answer.metric)} {number(answer.old)} → {number(answer.new)}"
    parts = {"prompt": answer.prompt, "old": answer.old_output, "new": answer.new_output}
    if answer.perturbation != CLEAN:
        parts["new, to the clean prompt"] = answer.clean_output
    texts = "\n\n".join(f"{name}: {text}" for name, text in parts.items())
    return f"{head}  \n{_text(in_words(answer))}\n\n{_block(texts)}"


def _text(text: str) -> str:
    """Escape a text so that Markdown shows it as it is, but for the middle of a long one."""
    return markdown_text(shorten(printable(text), _TEXT))


def _code(text: str) -> str:
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {printable(text)} {fence}" if "`" in text else f"{fence}{printable(text)}{fence}"


def _block(text: str) -> str:
    """Return a fenced block whose fence is longer than any in the text."""
    text = shorten(printable(text, keep="\n\t"), _TEXT)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"
