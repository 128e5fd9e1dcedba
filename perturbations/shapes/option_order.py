"""The options of a multiple-choice prompt: their order and how they are lettered (after arXiv 2308.11483)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LINE = re.compile(
    r"(?m)^(?P<open>[(\[<]?)(?P<mark>[A-Za-z]|\d{1,2})(?P<close>[)\]>.:]+)(?P<gap>[ \t]+)(?P<text>\S[^\n]*)$"
)
STYLES = (("", ". "), ("", ") "), ("(", ") "), ("[", "] "), ("", ": "))
"""What stands before and behind a letter."""

_NUMBERINGS = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "123456789")
_FIRST = ("A", "a", "1")

LETTERINGS = len(STYLES) * len(_NUMBERINGS)
"""Number of ways of lettering."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options in a prompt: the lines that list them, and the letters that they have."""

    lines: tuple[re.Match[str], ...]

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters or numbers, in order."""
        return tuple(line["mark"] for line in self.lines)


@dataclass(frozen=True, slots=True)
class Reordered:
    """A prompt with its options in another order; `letters` gives the clean letter of each new one."""

    prompt: str
    letters: Mapping[str, str]


def find_options(prompt: str) -> list[Options]:
    """Return the lists of options in a prompt: neighbouring lines that are lettered in order, at least two.

    >>> [each.letters for each in find_options("Which?\\nA. Paris\\nB. Rome\\nAnswer:")]
    [('A', 'B')]
    """
    found: list[Options] = []
    run: list[re.Match[str]] = []
    for line in [*_LINE.finditer(prompt), None]:
        follows = run and line and line.start() == run[-1].end() + 1 and line["mark"] == _next(run[-1]["mark"])
        if not follows:
            if len(run) > 1:
                found.append(Options(tuple(run)))
            run = []
        if line and (run or line["mark"] in _FIRST):
            run.append(line)
    return found


def reordered(prompt: str, options: Options, order: Sequence[int], style: int, *, reletter: bool) -> Reordered:
    """Return the prompt with its options in another order, and lettered in another way.

    Args:
        prompt: The prompt.
        options: Its options (`find_options`).
        order: The present place of each option, from 0.
        style: Which way of lettering, from 0 to `LETTERINGS` - 1; then they start again.
        reletter: Whether to change the letters, too.

    >>> prompt = "Which?\\nA. Paris\\nB. Rome"
    >>> reordered(prompt, find_options(prompt)[0], (1, 0), 7, reletter=True)
    Reordered(prompt='Which?\\n(1) Rome\\n(2) Paris', letters={'1': 'B', '2': 'A'})
    """
    before, behind = STYLES[style % len(STYLES)]
    numbering = _NUMBERINGS[style // len(STYLES) % len(_NUMBERINGS)]
    lines, letters = [], {}
    for i, j in enumerate(order):
        old = options.lines[i]
        letter = numbering[i] if reletter and len(order) <= len(numbering) else old["mark"]
        mark = f"{before}{letter}{behind}" if reletter else f"{old['open']}{letter}{old['close']}{old['gap']}"
        lines.append(f"{mark}{options.lines[j]['text']}")
        letters[letter] = options.letters[j]
    start, end = options.lines[0].start(), options.lines[-1].end()
    return Reordered(prompt[:start] + "\n".join(lines) + prompt[end:], letters)


def _next(mark: str) -> str:
    return str(int(mark) + 1) if mark.isdecimal() else chr(ord(mark) + 1)
