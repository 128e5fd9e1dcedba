"""The exception that means "you can fix this": the command line prints it as one line, without a traceback."""

import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction in which the text around them is shown."""


class UserError(ValueError):
    """A mistake in the input: the message says what is wrong, where, and what to do.

    It is always one line that is safe to print, whatever file or server a part of it comes from (see `printable`).
    """

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
    """Return the first line of another library's error: at most 300 characters, control characters escaped.

    >>> first_line(OSError("no such thing\\nand more")), first_line(RuntimeError())
    ('no such thing', 'RuntimeError')
    """
    text = str(error).strip() or type(error).__name__
    if isinstance(error, KeyError):
        text = f"missing {text}"
    return printable(text.splitlines()[0])[:300]


def _is_obeyed(character: str) -> bool:
    return character in _BIDI or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
