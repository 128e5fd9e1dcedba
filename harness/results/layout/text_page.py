"""Tables of results as text: at most 78 columns wide, the same on a terminal and in a file."""

from collections.abc import Iterator, Sequence

from holdfast.harness.results.layout.document import Document, Section
from holdfast.harness.results.layout.text_table import Shown, fit, set_apart, stacked, text_lines
from holdfast.harness.results.layout.wrapping import WIDTH, wrapped

_UNLIMITED = 10**6
_INDENT = "  "


def text_page(document: Document, *, wide: bool = False) -> str:
    """Return the document as text of at most 78 columns, or with all columns of its tables side by side."""
    lines: list[str] = []
    for section in document.sections:
        lines += [*_section_lines(section, _UNLIMITED if wide else WIDTH), ""]
    for note in document.notes:
        lines += wrapped(note)
    for warning in document.warnings:
        lines += wrapped(f"WARNING: {warning}")
    return "\n".join(lines).rstrip("\n")


def _section_lines(section: Section, width: int) -> Iterator[str]:
    yield from wrapped(section.title)
    varying, same = set_apart(section.columns)
    room = width - len(_INDENT) if section.grouped_by else width
    table = [each for each in varying if each.name != section.grouped_by]
    if not table:  # every row is like the others: say it in a table all the same
        table, same = [each for each in section.columns if each.name != section.grouped_by], []
    left_out: list[Shown] = []
    if section.stacked:
        groups = stacked(table, room)
    else:
        chosen, left_out = fit(table, room)
        groups = [chosen]
    for group in groups:
        yield from _grouped(section, group, room) if section.grouped_by else text_lines(group, room)
    if same:
        yield from wrapped("same in all rows: " + ", ".join(f"{each.heading} {each.cells[0]}" for each in same))
    yield from _rest(section, [each.heading for each in left_out])
    for note in section.notes:
        yield from wrapped(note)


def _grouped(section: Section, columns: Sequence[Shown], width: int) -> Iterator[str]:
    """Yield the lines of a table, with a line for each group of rows above them."""
    [owners] = [each.cells for each in section.columns if each.name == section.grouped_by]
    head, *rows = text_lines(columns, width)
    yield f"{_INDENT}{head}"
    before = None
    for owner, row in zip(owners, rows, strict=True):
        if owner != before:
            yield from wrapped(owner)
        yield f"{_INDENT}{row}"
        before = owner


def _rest(section: Section, left_out: Sequence[str]) -> Iterator[str]:
    """Say what else the file has."""
    columns = len(left_out) + len(section.others)
    parts = [f"{section.rows_left_out} more rows"] if section.rows_left_out else []
    if columns:
        among = f" (among them {', '.join(left_out)})" if left_out else ""
        parts.append(f"{columns} more {'columns' if columns > 1 else 'column'}{among}")
    if parts:
        yield from wrapped(f"{' and '.join(parts)} in {section.file}")
