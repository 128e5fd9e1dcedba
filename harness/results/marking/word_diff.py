"""Show edits in a text: red and green on a terminal, git's word-diff marks elsewhere."""

import sys

from holdfast.errors import printable
from holdfast.perturbations import Edits

_RED, _GREEN, _PLAIN = "\x1b[9;31m", "\x1b[32m", "\x1b[0m"


def shown_edits(edits: Edits, *, colour: bool | None = None) -> str:
    """Return the original with removed and inserted text marked.

    Args:
        edits: The edits.
        colour: Mark in colour; by default only on a terminal.

    >>> from holdfast.perturbations import Edit
    >>> shown_edits(Edits("the cat sat", (Edit(4, "cat", "dog"),)), colour=False)
    'the [-cat-]{+dog+} sat'
    """
    coloured = sys.stdout.isatty() if colour is None else colour
    before, after = ((_RED, _PLAIN), (_GREEN, _PLAIN)) if coloured else (("[-", "-]"), ("{+", "+}"))
    pieces, at = [], 0
    for edit in edits.edits:
        pieces.append(shown(edits.original[at : edit.position]))
        pieces += [before[0], shown(edit.removed), before[1]] if edit.removed else []
        pieces += [after[0], shown(edit.inserted), after[1]] if edit.inserted else []
        at = edit.position + len(edit.removed)
    return "".join([*pieces, shown(edits.original[at:])])


def shown(text: str) -> str:
    """Return a text of a file or a model as it can be printed: everything but its line breaks and tabs is shown."""
    return printable(text, keep="\n\t")
