"""The section of a robustness card in an adapter's model card, between marks that a second one replaces."""

import re

from holdfast.errors import UserError
from holdfast.harness.results.export.robustness_card import CardNumber, RobustnessCard, places_of
from holdfast.harness.results.intervals import number
from holdfast.harness.results.layout.markdown_text import markdown_text

START, END = "<!-- holdfast card -->", "<!-- end of holdfast card -->"
BEGINNING = re.escape(START.encode())
"""How the file of a section begins."""

_DIGEST = 12


def section_of(card: RobustnessCard) -> str:
    """Return the section, with its marks."""
    numbers = {(each.task, each.condition, each.name): each for each in card.numbers}
    rows = [_row(card, numbers, task, condition) for task, condition in places_of(card)]
    worst = "; ".join(
        f"{markdown_text(each.task)} under {_shown(each.condition)}: {_signed(each)}" for each in card.worst
    )
    perturbations = ", ".join(map(markdown_text, card.perturbations))
    return "\n".join(
        [
            START,
            "## Robustness",
            "",
            f"Measured with Holdfast {card.versions.get('holdfast', '')} on {card.started[:10]}: the adapter "
            f"{markdown_text(card.adapter)} ({_short(card.adapter_digest)}) of the base {markdown_text(card.base)} "
            f"({_short(card.base_digest)}) under {perturbations} ({', '.join(map(markdown_text, card.severity))}; "
            f"prompts {_short(card.variants)}).",
            "",
            "| task | prompts | n | score | value [95 %] | change [95 %] | drift [95 %] | floor | breaks [95 %] |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            *([f"Largest losses: {worst}.", ""] if worst else []),
            "Drift is that of the worst segment of an answer (0 same, 1 different). Floor is the drift when the same "
            "prompt is asked again: a drift below it is noise. Breaks is the share of answers that say something "
            "else.",
            "",
            "Measured by:",
            "",
            "```",
            card.command.replace("`", "'"),
            "```",
            END,
            "",
        ]
    )


def put_into(text: str, section: str, where: str) -> str:
    """Return the text of a model card with the section in the place of an earlier one, or else at its end.

    Args:
        text: The model card; its line ends are kept.
        section: The section, with its marks.
        where: The file of the card, for messages.

    Raises:
        UserError: If one of the marks is missing, or there are several.
    """
    ends = "\r\n" if "\r\n" in text else "\n"
    section = section.replace("\n", ends)
    if START not in text and END not in text:
        gap = "" if not text else ends if text.endswith("\n") else ends * 2
        return text + gap + section
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise UserError(f"{where} must have '{START}' once and, after it, '{END}' once: repair or delete these lines")
    before, _, others = text.partition(START)
    behind = others.partition(END)[2].removeprefix(ends)
    return before + section + behind


def _row(card: RobustnessCard, numbers: dict[tuple[str, str, str], CardNumber], task: str, condition: str) -> str:
    headline = card.tasks[task].headline
    value, change, drift, floor, breaks = (
        numbers.get((task, condition, name)) for name in (headline, "delta", "max_drift", "noise_floor", "break_rate")
    )
    count = next(each.samples for place, each in numbers.items() if place[:2] == (task, condition))
    cells = [
        *(markdown_text(task), _shown(condition), str(count), markdown_text(headline)),
        *(_with_interval(value), _signed(change) if change else "", _with_interval(drift)),
        *(number(floor.value) if floor else "", _with_interval(breaks)),
    ]
    return f"| {' | '.join(cells)} |"


def _with_interval(each: CardNumber | None, sign: str = "") -> str:
    if each is None:
        return ""
    ends = "" if each.low is None or each.high is None else f" [{each.low:{sign}.3f}, {each.high:{sign}.3f}]"
    return f"{each.value:{sign}.3f}{ends}"


def _signed(each: CardNumber) -> str:
    return _with_interval(each, "+")


def _short(digest: str) -> str:
    return digest[:_DIGEST]


def _shown(condition: str) -> str:
    return markdown_text(condition.replace("@", " "))
