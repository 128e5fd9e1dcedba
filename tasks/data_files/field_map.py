"""Which fields of people's own data files are the content, the references and the groups."""

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


def mapped(source: DataRows, fields: FieldMap) -> DataRows:
    """Return the rows of a source with the fields called as ours are.

    Rows without an id get their number if any field is mapped, or the format has no ids of its own.

    Args:
        source: The rows.
        fields: What is called differently; a row that lacks such a field is a mistake.
    """
    renamed = fields.called
    groups = [name.strip() for name in (fields.group or "").split(",") if name.strip()]
    numbered = source.numbered or bool(renamed)
    if not (renamed or groups or numbered):
        return source

    def make(number: int, row: Fields, where: str) -> Fields:
        missing = next((name for name in (*renamed.values(), *groups) if name not in row), None)
        if missing is not None:
            raise UserError(f"{where}: {_missing(missing, tuple(row))}")
        made = {**row, **{ours: row[theirs] for ours, theirs in renamed.items()}}
        if "content" in renamed:
            del made[renamed["content"]]
        if groups:
            made[GROUP] = row[groups[0]] if len(groups) == 1 else {name: row[name] for name in groups}
        if numbered and made.get("id") in (None, ""):
            made["id"] = number
        return made

    return source.mapped(make)


@cache
def _missing(field: str, there: tuple[str, ...]) -> str:
    return f"missing field '{field}'{did_you_mean(field, there)}"
