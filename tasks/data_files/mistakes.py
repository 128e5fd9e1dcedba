"""All mistakes of a file, reported at once."""

from dataclasses import dataclass, field

from holdfast.errors import UserError

MOST_SHOWN = 20


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
    shown: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, mistake: UserError) -> None:
        """Add one; only the first are kept, but all are counted."""
        self.count += 1
        if len(self.shown) < MOST_SHOWN:
            self.shown.append(str(mistake))

    def check(self) -> None:
        """Raise UserError if there was any: one as it is, several in one line that names the place of each."""
        if self.count == 1:
            raise UserError(self.shown[0])
        if self.count:
            listed = "; ".join(each.removeprefix(f"{self.where}, ") for each in self.shown)
            more = f"; and {self.count - len(self.shown)} more" if self.count > len(self.shown) else ""
            raise UserError(f"{self.where} has {self.count} mistakes: {listed}{more}")
