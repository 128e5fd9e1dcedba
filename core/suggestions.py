"""The nearest known name, for error messages about a mistyped one."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return the end of an error message: the nearest known name, or all of them if none is near.

    >>> did_you_mean("typo", ["typos", "case"]), did_you_mean("x", ["typos", "case"])
    ("; did you mean 'typos'?", '; known: typos, case')
    """
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.55)
    return f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(names)}"
