"""Fit a table into a given text width: low-priority columns are dropped, numbers are never truncated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from holdfast.harness.results.shortening import distinct, padded

_GAPS = (2, 1)
"""Spaces between columns: fewer where a column would be left out otherwise."""

SHORTEST = 12
"""Names are usually not shortened below this width."""

NOISE = " ~"
"""The mark of a drift that is not clearly above its floor."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A column as it is shown: its cells are text already."""

    name: str
    heading: str
    cells: tuple[str, ...]
    names: bool = False
    """Whether the cells are names, which stand to the left and may be shortened, rather than numbers."""
    priority: int = 0
    """Where columns don't fit, those with the highest number are left out first; those with 0 never are."""
    part_of_matrix: bool = False
    """Whether it is one of like columns, which are read side by side."""
    shortest: int = SHORTEST
    """The width below which names are not shortened."""

    @property
    def stays(self) -> bool:
        """Whether the column stays even if its cells are equal in all rows, since it says what a row is."""
        return self.part_of_matrix or self.name in ("#", "adapter", "cell")

    @property
    def width(self) -> int:
        """The width in cells of a terminal."""
        marked = any(cell.endswith(NOISE) for cell in self.cells)
        longest = max((cell_len(cell.removesuffix(NOISE).rstrip()) for cell in self.cells), default=0)
        return max(cell_len(self.heading), longest + len(NOISE) * marked)

    @property
    def least(self) -> int:
        """The width below which the column is left out rather than shortened."""
        return min(self.width, max(self.shortest, cell_len(self.heading))) if self.names else self.width


def set_apart(columns: Sequence[Shown]) -> tuple[list[Shown], list[Shown]]:
    """Separate the columns whose cells vary from those that are equal in all rows of a table of several rows."""
    same = [each for each in columns if not each.stays and len(each.cells) > 1 and len(set(each.cells)) == 1]
    return [each for each in columns if each not in same], same


def fit(columns: Sequence[Shown], width: int) -> tuple[list[Shown], list[Shown]]:
    """Separate the columns that fit into a width, by priority, from those that are left out."""
    chosen: list[Shown] = []
    for column in sorted(columns, key=lambda each: each.priority):
        if column.priority == 0 or _least([*chosen, column]) <= width:
            chosen.append(column)
    return [each for each in columns if each in chosen], [each for each in columns if each not in chosen]


def stacked(columns: Sequence[Shown], width: int) -> list[list[Shown]]:
    """Split columns into groups that fit into a width; each begins with those that have priority 0."""
    first = [each for each in columns if each.priority == 0]
    groups: list[list[Shown]] = [[]]
    for column in (each for each in columns if each.priority):
        table = [*first, *groups[-1], column]
        if groups[-1] and sum(each.width for each in table) + _GAPS[-1] * (len(table) - 1) > width:
            groups.append([])
        groups[-1].append(column)
    return [[*first, *group] for group in groups]


def text_lines(columns: Sequence[Shown], width: int) -> list[str]:
    """Return the heading and the rows as lines; names are shortened to what the numbers leave of the width."""
    gap = next((each for each in _GAPS if _least(columns, each) <= width), _GAPS[-1])
    columns = [_aligned(each) for each in _shortened(columns, width - gap * (len(columns) - 1))]
    rows = zip(*([each.heading, *each.cells] for each in columns), strict=True)
    widths = [(each.width, each.names) for each in columns]
    return [
        (" " * gap).join(padded(text, wide, left=left) for text, (wide, left) in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _least(columns: Sequence[Shown], gap: int = _GAPS[-1]) -> int:
    return sum(each.least for each in columns) + gap * (len(columns) - 1)


def _aligned(column: Shown) -> Shown:
    """Pad cells without a mark where others have one, so that the numbers stay below each other."""
    if column.names or not any(cell.endswith(NOISE) for cell in column.cells):
        return column
    return replace(
        column, cells=tuple(cell if cell.endswith(NOISE) else cell + " " * len(NOISE) for cell in column.cells)
    )


def _shortened(columns: Sequence[Shown], width: int) -> list[Shown]:
    """Shorten the widest names until the columns' widths add up to this, if they can."""
    widths = [each.width for each in columns]
    while sum(widths) > width:
        spare = [(wide, i) for i, wide in enumerate(widths) if wide > columns[i].least]
        if not spare:
            break
        widths[max(spare)[1]] -= 1
    found = []
    for each, wide in zip(columns, widths, strict=True):
        short = distinct(each.cells, wide) if each.names and wide < each.width else {}
        found.append(replace(each, cells=tuple(short.get(text, text) for text in each.cells)))
    return found
