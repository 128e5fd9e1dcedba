"""The exception that means "you can fix this": the command line prints it as one line, without a traceback."""

import unicodedata
from itertools import takewhile

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction in which the text around them is shown."""


class UserError(ValueError):
    """A mistake in the input: the message says what is wrong, where, and what to do.

    It is always one line that is safe to print, whatever file or server a part of it comes from (see `printable`).
    """

    status: int | None = None
    """The exit status of a command that it ends; None means the one that the command has for mistakes."""

    def __init__(self, message: object) -> None:
        super().__init__(printable(str(message)))


def printable(text: str, *, keep: str = "") -> str:
    r"""Return the text with everything escaped that a terminal would obey rather than show.

    Escaped are control characters (line breaks and C1 included), changes of direction, line separators and lone
    surrogates.

    Args:
        text: The text.
        keep: Characters to leave as they are, such as line breaks in an answer.

    >>> print(printable("red \x1b[31m, back \u202e"))
    red \x1b[31m, back \u202e
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each in keep or not _is_obeyed(each) else _escaped(each) for each in text)


def first_line(error: object) -> str:
    """Return what another library's error says first: at most 300 characters, control characters escaped.

    A heading above it, as torch and pydantic write, is left out; pydantic's two lines on a field are joined, and so is
    a list to the line that announces it.

    >>> first_line(OSError("no such thing\\nand more")), first_line(RuntimeError())
    ('no such thing', 'RuntimeError')
    >>> first_line(RuntimeError("Error(s) in loading state_dict:\\n\\tsize mismatch for a: 2 is not 3"))
    'size mismatch for a: 2 is not 3'
    >>> first_line(ValueError("the two must match, but found\\n- one: 1\\n- two: 2"))
    'the two must match, but found: one: 1; two: 2'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    if len(lines) > 1 and "validation error" in lines[0]:
        lines = ["; ".join(lines[1:3])]
    elif len(lines) > 1 and lines[1].startswith("- "):
        points = takewhile(lambda line: line.startswith("- "), lines[1:])
        lines = [f"{lines[0].removesuffix(':')}: {'; '.join(point[2:] for point in points)}"]
    elif len(lines) > 1 and lines[0].endswith(":"):
        lines = lines[1:]
    text = f"missing {lines[0]}" if isinstance(error, KeyError) else lines[0]
    return printable(text)[:300]


def _is_obeyed(character: str) -> bool:
    return character in _BIDI or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
