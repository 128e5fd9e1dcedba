"""One answer as a page holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.harness.results.check.worst_answers import in_words
from holdfast.harness.results.marking.located_edits import located_edits
from holdfast.harness.results.report.linked_segments import Linked, linked_segments
from holdfast.harness.results.report.shown_text import shown_text
from holdfast.harness.results.safety.safety_tasks import HIDDEN
from holdfast.harness.store.lines import Line
from holdfast.notebook import visible
from holdfast.perturbations import Edits

_EDITS = 60
_BETWEEN_EDITS = 600


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """An answer to a perturbed prompt, beside the answers that it is compared with; values are fit to be shown.

    Attributes:
        key: Its key in samples.jsonl.
        source: The place of its run in the report; another run may have the same key.
        run: The run's folder.
        adapter: The adapter's name in the report.
        task: The task.
        sample: The sample's id.
        perturbation: The perturbation.
        severity: Its severity.
        repeat: The number of the variant.
        groups: The groups of the sample.
        drift: `max_drift`, NaN for clean prompts; like all numbers here.
        broke: Whether it is broken (1 or 0).
        score: Its headline score.
        clean_score: That of the answer to the clean prompt.
        base_score: That of the baseline's answer to the same prompt.
        change: How much higher the score is than the one that it is compared with.
        outcome: "worse", "same" or "better".
        kind: The kind of the reason, such as "number"; empty without one.
        reason: Why its worst segment drifted, in words.
        prompt: The prompt in pieces: kept, then removed, inserted and kept for each edit.
        asked: The perturbed prompt, if the edits can't be found in the clean one.
        clean: The answer to the clean prompt.
        output: The answer.
        baseline: The baseline's answer to the same prompt.
        linked: The segments of `clean` and `output`.
    """

    key: str
    source: int
    run: str
    adapter: str
    task: str
    sample: str
    perturbation: str
    severity: str
    repeat: int
    groups: tuple[str, ...]
    drift: float
    broke: float
    score: float
    clean_score: float
    base_score: float
    change: float
    outcome: str
    kind: str
    reason: str
    prompt: tuple[str, ...]
    asked: str | None
    clean: str | None
    output: str
    baseline: str | None
    linked: Linked | None


def page_answer(
    row: Mapping[str, Any], run: str, line: Line, clean: Line | None, baseline: Line | None, segments: Any, hide: bool
) -> PageAnswer:
    """Return an answer with its texts.

    Args:
        row: Its row in the table of answers (`answer_table`).
        run: The run's folder.
        line: Its line in samples.jsonl.
        clean: That of the same adapter's answer to the clean prompt; None if it is not there yet.
        baseline: That of the baseline's answer to the same prompt, if there is one.
        segments: Its drifted segments; empty if unknown.
        hide: Whether to leave out everything that the prompt and the answers say.
    """
    reason = row["reason"].strip()
    prompt, asked = _prompt(clean, line)
    values: dict[str, Any] = {
        "reason": shown_text(in_words(reason)),
        "prompt": prompt,
        "asked": asked,
        "clean": shown_text(clean["output"]) if clean else None,
        "output": shown_text(line["output"]),
        "baseline": shown_text(baseline["output"]) if baseline else None,
        "linked": linked_segments(clean["output"], line["output"], segments) if clean else None,
    }
    if hide:
        there = [name for name in ("clean", "output", "baseline") if values[name] is not None]
        values = dict.fromkeys(values) | dict.fromkeys(there, HIDDEN) | {"reason": "", "prompt": (HIDDEN,)}
    numbers = ("broke", "score", "clean_score", "base_score", "change")
    values |= {name: float(row[name]) for name in numbers}
    return PageAnswer(
        key=visible(row["key"]),
        source=int(row["source"]),
        run=visible(run),
        adapter=visible(row["label"]),
        task=visible(row["task"]),
        sample=shown_text(row["sample"], 120),
        perturbation=visible(row["perturbation"]),
        severity=visible(row["severity"]),
        repeat=int(row["repeat"]),
        groups=tuple(map(visible, row["groups"])),
        drift=float(row["max_drift"]),
        outcome=row["outcome"],
        kind=visible(reason.split()[0]) if reason else "",
        **values,
    )


def _prompt(clean: Line | None, line: Line) -> tuple[tuple[str, ...], str | None]:
    """Return the clean prompt in pieces with its edits and, if they are not found in it, the perturbed prompt."""
    if clean is None:
        return (shown_text(line["prompt"]),), None
    found = located_edits(clean["prompt"], line["prompt"], line["edits"])
    if found is None or len(found.edits) > _EDITS:
        return (shown_text(clean["prompt"]),), shown_text(line["prompt"])
    return tuple(_pieces(found)), None


def _pieces(edits: Edits) -> list[str]:
    pieces, at = [], 0
    for edit in edits.edits:
        kept = edits.original[at : edit.position]
        pieces += [shown_text(text, _BETWEEN_EDITS) for text in (kept, edit.removed, edit.inserted)]
        at = edit.position + len(edit.removed)
    return [*pieces, shown_text(edits.original[at:], _BETWEEN_EDITS)]
