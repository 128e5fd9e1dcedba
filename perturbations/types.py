"""Edits, the perturbations that make them, and the variants that come out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from holdfast.errors import UserError


class Edit(NamedTuple):
    """At character `position` of the original text, `removed` gives way to `inserted`."""

    position: int
    removed: str
    inserted: str


Row = tuple[int, str, str]
"""The fields of an `Edit`, without their names: several times as fast to make."""


class Columns:
    """Edits by columns: where they are, what each removes, and what each inserts.

    >>> list(Columns([4, 8], ["cat", ""], ["dog", "then "]))
    [(4, 'cat', 'dog'), (8, '', 'then ')]
    """

    __slots__ = ("_columns",)

    def __init__(self, positions: Iterable[int], removed: Iterable[str], inserted: Iterable[str]) -> None:
        self._columns = positions, removed, inserted

    def __iter__(self) -> Iterator[Row]:
        return zip(*self._columns, strict=True)


class Edits:
    """A text and the edits made to it, in order of position and never overlapping.

    They come as records, as plain rows or by columns; the new text is made of these, and so are the records, once
    somebody asks for them: most callers want the text alone.
    """

    __slots__ = ("_made", "_rows", "original")

    def __init__(self, original: str, edits: Iterable[Row] = ()) -> None:
        self.original = original
        self._rows = edits if isinstance(edits, Columns) else tuple(edits)
        self._made: tuple[Edit, ...] | None = None

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits as records.

        >>> Edits("the cat sat", [(4, "cat", "dog")]).edits
        (Edit(position=4, removed='cat', inserted='dog'),)
        """
        if self._made is None:
            self._made = tuple(map(Edit._make, self._rows))
        return self._made

    @property
    def text(self) -> str:
        """The original with all edits applied.

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
        return f"Edits({self.original!r}, {self.edits!r})"


Perturb = Callable[..., Edits]
"""`(text, strength, rng, *, protect=()) -> Edits`, plus the keywords that the perturbation declares as `extras`.

`strength` is the target edit rate in [0, 1]; `rng` is the only source of chance; `protect` names strings to leave
alone besides the usual ones (see `holdfast.perturbations.protected`).
"""


Expectation = Literal["invariant", "changed"]
"""What should become of the answer, as in CheckList (Ribeiro et al. 2020): INV, it stays what it was; DIR, it
changes, since something else was asked."""


EXTRAS = frozenset({"paraphrases"})
"""What a sample can hand to a perturbation besides its text."""


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A registered perturbation: the function, its family, and the strengths that `light` and `heavy` mean."""

    name: str
    family: str
    light: float
    heavy: float
    apply: Perturb
    units: Callable[[str], int] | None
    """How many units (characters or words) of a text `strength` is a share of; the number of edits is exactly
    `edit_count(strength, units(text))`, less only where the text has fewer places. None: strength says how far to
    go, not how many edits to make (`paraphrase`, `identity`)."""
    extras: tuple[str, ...] = ()
    """Keywords that `apply` takes from the sample besides the text: any of `EXTRAS`."""
    expects: Expectation = "invariant"

    def __post_init__(self) -> None:
        if unknown := set(self.extras) - EXTRAS:
            raise UserError(
                f"perturbation '{self.name}' asks for the unknown extra '{min(unknown)}'; "
                f"use any of: {', '.join(sorted(EXTRAS))}"
            )

    def strength(self, severity: str) -> float:
        """The strength that a severity means: `light`, `heavy` or a number between 0 and 1.

        Raises UserError for anything else.
        """
        if severity == "light":
            return self.light
        if severity == "heavy":
            return self.heavy
        try:
            number = float(severity)
        except ValueError:
            number = -1.0
        if 0 <= number <= 1:
            return number
        raise UserError(
            f"unknown severity '{severity}' for perturbation '{self.name}'; "
            "use light, heavy or a number between 0 and 1, e.g. 0.08"
        )


@dataclass(frozen=True, slots=True)
class Variant:
    """One text under (perturbation, severity, repeat), with its edits and the realised edit rate.

    `edit_rate` is the Levenshtein distance to the clean text over the longer length, in [0, 1]; for texts of more than
    10,000 characters the distances inside the edits are added up, which is the same wherever edits are apart.
    """

    text: str
    perturbation: str
    severity: str
    repeat: int
    edits: tuple[Edit, ...]
    edit_rate: float
