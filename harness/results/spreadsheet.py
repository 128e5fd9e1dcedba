"""CSV that spreadsheets and pandas read as it was meant: no text becomes a formula, a number or a missing value.

A text that would gets an apostrophe in front, and so does one that begins with an apostrophe: whoever reads the file
drops one leading apostrophe. Numbers, truth values and severities, which are numbers where they look like it, are
written as they are; what is missing is empty.
"""

import csv
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_APOSTROPHE = "'"

_OBEYED = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", _APOSTROPHE)
"""Beginnings of texts that a spreadsheet takes for a formula (OWASP, CSV injection), and that of the mark itself."""

_MISSING = frozenset("#n/a,#n/a n/a,#na,-1.#ind,-1.#qnan,-nan,1.#ind,1.#qnan,<na>,n/a,na,nan,none,null".split(","))
"""What pandas reads as a missing value, in lower case."""

_TRUTH = frozenset({"true", "false"})
_NUMBERS = ("severity",)
"""Columns of texts that may be numbers."""


def csv_text(frame: "pd.DataFrame") -> str:
    """Return a table as CSV, with texts marked that a reader of the file would change."""
    import pandas as pd

    texts = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    marked = frame.assign(
        **{str(name): [_marked(value, numbers=name in _NUMBERS) for value in frame[name]] for name in texts}
    ).rename(columns=_marked)
    # a carriage return ends a line for most readers, but is only quoted on request
    returns = any("\r" in str(value) for name in texts for value in frame[name])
    return marked.to_csv(
        index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL
    )


def _marked(value: Any, *, numbers: bool = False) -> Any:
    if not isinstance(value, str) or not value:
        return value
    bare = value.strip().casefold()
    changed = bare in _MISSING or bare in _TRUTH or (not numbers and _is_number(bare))
    return _APOSTROPHE + value if changed or value.lstrip(" ").startswith(_OBEYED) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
