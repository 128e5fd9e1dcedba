"""The exception that means "you can fix this": the command line prints it as one line, without a traceback."""

import json


class UserError(ValueError):
    """A mistake in the input: the message says what is wrong, where, and what to do."""


def first_line(error: object) -> str:
    """Return the first line of another library's error: at most 300 characters, control characters escaped.

    >>> first_line(OSError("no such thing\\nand more")), first_line(RuntimeError())
    ('no such thing', 'RuntimeError')
    """
    text = str(error).strip() or type(error).__name__
    if isinstance(error, KeyError):
        text = f"missing {text}"
    return json.dumps(text.splitlines()[0], ensure_ascii=False)[1:-1][:300]
