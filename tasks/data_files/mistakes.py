"""All mistakes of a file, reported at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from holdfast.errors import UserError

MOST_SHOWN = 20
"""How many different mistakes are listed."""

_MOST_PLACES = 3


@dataclass(slots=True)
class Mistakes:
    """Collects what is wrong with the rows of a file.

    >>> found = Mistakes("prompts.csv")
    >>> found.add(UserError("prompts.csv, row 2: missing field 'content'"))
    >>> found.add(UserError("prompts.csv, row 3: duplicate id '1'"))
    >>> found.check()
    Traceback (most recent call last):
    ...
    holdfast.errors.UserError: prompts.csv has 2 mistakes: row 2: missing field 'content'; row 3: duplicate id '1'
    """

    where: str
    places: dict[str, list[str]] = field(default_factory=dict)
    """Where each mistake that is listed was made."""
    count: int = 0
    first: str = ""

    def add(self, mistake: UserError) -> None:
        """Add one; only the first ones that differ are kept, but all are counted."""
        self.count += 1
        self.first = self.first or str(mistake)
        place, _, text = str(mistake).removeprefix(f"{self.where}, ").partition(": ")
        if text in self.places or len(self.places) < MOST_SHOWN:
            self.places.setdefault(text, []).append(place)

    def check(self) -> None:
        """Raise UserError if there was any: one as it is, several in one line that names the place of each."""
        if self.count == 1:
            raise UserError(self.first)
        if self.count:
            listed = "; ".join(f"{_joined(places)}: {text}" for text, places in self.places.items())
            unnamed = self.count - sum(map(len, self.places.values()))
            more = f"; and {unnamed} more" if unnamed else ""
            raise UserError(f"{self.where} has {self.count} mistakes: {listed}{more}")


def _joined(places: Sequence[str]) -> str:
    others = len(places) - _MOST_PLACES
    return ", ".join(places[:_MOST_PLACES]) + (f" and {others} more" if others > 0 else "")
