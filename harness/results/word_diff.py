"""Show edits in a text: red and green on a terminal, git's word-diff marks elsewhere."""

import sys

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
        pieces.append(edits.original[at : edit.position])
        pieces += [before[0], edit.removed, before[1]] if edit.removed else []
        pieces += [after[0], edit.inserted, after[1]] if edit.inserted else []
        at = edit.position + len(edit.removed)
    return "".join([*pieces, edits.original[at:]])
