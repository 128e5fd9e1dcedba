"""Edits of a text: the position, what is removed and what is inserted."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from holdfast import notebook


class Edit(NamedTuple):
    """One edit: replace `removed` at character `position` of the original text with `inserted`."""

    position: int
    removed: str
    inserted: str


Row = tuple[int, str, str]
"""An `Edit` as a plain tuple, which is several times as fast to create."""


class Columns:
    """Edits given column by column: positions, removed strings and inserted strings.

    >>> list(Columns([4, 8], ["cat", ""], ["dog", "then "]))
    [(4, 'cat', 'dog'), (8, '', 'then ')]
    """

    __slots__ = ("_columns",)

    def __init__(self, positions: Iterable[int], removed: Iterable[str], inserted: Iterable[str]) -> None:
        self._columns = positions, removed, inserted

    def __iter__(self) -> Iterator[Row]:
        return zip(*self._columns, strict=True)


class Edits:
    """A text and the edits made to it.

    The edits are sorted by position and never overlap. They may be given as `Edit`s, plain tuples or `Columns`; `Edit`
    objects are created only on access because most callers need just the text.
    """

    __slots__ = ("_made", "_rows", "original")

    def __init__(self, original: str, edits: Iterable[Row] = ()) -> None:
        self.original = original
        self._rows = edits if isinstance(edits, Columns) else tuple(edits)
        self._made: tuple[Edit, ...] | None = None

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits as `Edit` objects.

        >>> Edits("the cat sat", [(4, "cat", "dog")]).edits
        (Edit(position=4, removed='cat', inserted='dog'),)
        """
        if self._made is None:
            self._made = tuple(map(Edit._make, self._rows))
        return self._made

    @property
    def text(self) -> str:
        """The original text with all edits applied.

        >>> Edits("the cat sat", (Edit(4, "cat", "dog"),)).text
        'the dog sat'
        """
        original, at = self.original, 0
        pieces: list[str] = []
        for position, removed, inserted in self._rows:
            pieces += original[at:position], inserted
            at = position + len(removed)
        pieces.append(original[at:])
        return "".join(pieces)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Edits) and (self.original, self.edits) == (other.original, other.edits)

    def __hash__(self) -> int:
        return hash((self.original, self.edits))

    def __repr__(self) -> str:
        count = len(self.edits)
        return f"Edits({_short(self.original)} -> {_short(self.text)}, {count} edit{'' if count == 1 else 's'})"

    def _repr_html_(self) -> str:
        """Return the text as HTML for notebooks, with its edits marked."""
        pieces, at = [], 0
        for position, removed, inserted in self.edits:
            pieces.append(notebook.text(self.original[at:position]))
            pieces.append(notebook.removed(removed) if removed else "")
            pieces.append(notebook.inserted(inserted) if inserted else "")
            at = position + len(removed)
        pieces.append(notebook.text(self.original[at:]))
        return f'<div style="white-space:pre-wrap">{"".join(pieces)}</div>'


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
