"""Which fields of people's own data files are the content, the references and the groups."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from holdfast.errors import UserError
from holdfast.suggestions import did_you_mean
from holdfast.tasks.data_files.data_rows import DataRows
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.sample import GROUP


@dataclass(frozen=True, slots=True)
class FieldMap:
    """The fields by the names that a file has for them, and its encoding; None means our own names.

    Attributes:
        content: The field that is perturbed.
        references: The field with the accepted answers.
        group: The field with a sample's group, or several fields separated by commas, each a grouping of that name.
        encoding: The encoding of text files.
    """

    content: str | None = None
    references: str | None = None
    group: str | None = None
    encoding: str | None = None

    @property
    def called(self) -> dict[str, str]:
        """What a file calls our fields, where that is different."""
        asked = {"content": self.content, "references": self.references}
        return {ours: theirs for ours, theirs in asked.items() if theirs is not None and theirs != ours}

    @property
    def given(self) -> list[str]:
        """The names of the settings that are given."""
        return [name for name in ("content", "references", "group", "encoding") if getattr(self, name) is not None]


def mapped(source: DataRows, fields: FieldMap) -> Iterator[tuple[int, Fields | UserError]]:
    """Yield the rows of a source with the fields called as ours are.

    Rows without an id get their number if any field is mapped, or the format has no ids of its own.

    Args:
        source: The rows.
        fields: What is called differently; a row that lacks such a field is a mistake.
    """
    renamed = fields.called
    groups = [name.strip() for name in (fields.group or "").split(",") if name.strip()]
    numbered = source.numbered or bool(renamed)
    if not (renamed or groups or numbered):
        yield from source.rows
        return
    for number, row in source.rows:
        if not isinstance(row, UserError):
            missing = next((name for name in (*renamed.values(), *groups) if name not in row), None)
            if missing is not None:
                row = UserError(f"{source.where}, {source.unit} {number}: {_missing(missing, tuple(row))}")
            else:
                row = {**row, **{ours: row[theirs] for ours, theirs in renamed.items()}}
                if fields.content not in (None, "content"):
                    del row[fields.content]
                if groups:
                    row[GROUP] = row[groups[0]] if len(groups) == 1 else {name: row[name] for name in groups}
                if numbered and row.get("id") in (None, ""):
                    row["id"] = number
        yield number, row


@cache
def _missing(field: str, there: tuple[str, ...]) -> str:
    return f"missing field '{field}'{did_you_mean(field, there)}"
