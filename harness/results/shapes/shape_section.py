"""The printed table of spreads over shapes of the prompt."""

from typing import TYPE_CHECKING

from holdfast.harness.results.layout.document import Section, shown

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = {"spread": 0, "lowest": 2, "lowest_at": 3, "highest": 2, "highest_at": 3, "shapes": 1, "n": 4}


def shape_sections(shapes: "pd.DataFrame | None") -> list[Section]:
    """Return the table of spreads (`Tables.shapes`), if there is one."""
    if shapes is None:
        return []
    owners = [shown(shapes, name, priority=0) for name in ("adapter", "task", "perturbation")]
    columns = [shown(shapes, "consistency", interval=True, priority=1)]
    columns = [shown(shapes, name, priority=rank) for name, rank in _COLUMNS.items() if name in shapes] + columns
    title = "Shapes of the prompt: spread of the score (highest minus lowest), and samples with one answer in all"
    return [Section(title, [*owners, *columns], "adapter", "shapes.csv")]
