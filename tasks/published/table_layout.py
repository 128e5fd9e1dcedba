"""A published table: which column is what, and how its task is asked and scored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from holdfast.errors import UserError
from holdfast.paths import expanded
from holdfast.tasks.data_files.data_rows import FORMATS, data_rows
from holdfast.tasks.data_files.data_sets import is_data_set
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.data_files.sample_rows import build_samples
from holdfast.tasks.published.data_set import DataSet
from holdfast.tasks.sample import GROUP
from holdfast.tasks.task import CONTENT, Task


def _nothing(row: Fields) -> Fields:
    return {}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a data set is published.

    Attributes:
        name: The name of the data set, and of its task.
        about: One line about it, with its source.
        content: The column that is perturbed.
        metrics: Names of metrics; the first is the headline.
        references: The column with the accepted answers, if there is one.
        id: The column with ids; "" numbers the rows.
        groups: Columns by the grouping that they give; those that a file lacks are left out.
        more: Returns further fields of a sample, which replace those of the columns; raises KeyError for a column that
            is missing, and UserError for a value that is wrong.
        prompt: The prompt, over the content and the further fields.
        max_new_tokens: Maximum length of an answer in tokens.
        config: The configuration of the hub's data set.
        split: The split of the hub's data set.
    """

    name: str
    about: str
    content: str
    metrics: tuple[str, ...]
    references: str = ""
    id: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    more: Callable[[Fields], Fields] = _nothing
    prompt: str = CONTENT
    max_new_tokens: int = 64
    config: str | None = None
    split: str | None = None


def published(layout: Layout) -> DataSet:
    """Return the data set that has a layout."""
    return DataSet(layout.name, layout.about, partial(_read, layout))


def _read(layout: Layout, name: str, given: str) -> Task:
    """Load a data set from a file, a folder written by `save_to_disk` or a hub name.

    Raises:
        UserError: If the data are missing, or not in the layout in which they are published.
    """
    source = str(expanded(given))
    if not given:
        raise UserError(f"'{name}' is not part of Holdfast: name your copy, as in {name}=FILE or {name}=OWNER/NAME")
    if expanded(given).is_dir() and not is_data_set(source):
        raise UserError(f"{name}: '{given}' is a folder: name the file in it")
    if expanded(given).suffix not in FORMATS and not is_data_set(source):
        raise UserError(
            f"{name}: '{given}' is not a data file ({', '.join(FORMATS)}), saved data set or hub name (owner/name)"
        )
    rows = data_rows(source, split=layout.split, config=layout.config)
    called = {"content": layout.content, "references": layout.references, "id": layout.id}
    samples = build_samples(
        rows.mapped(partial(_sample, layout)), called={ours: theirs for ours, theirs in called.items() if theirs}
    )
    return Task(name, samples, layout.metrics, layout.prompt, layout.max_new_tokens)


def _sample(layout: Layout, number: int, row: Fields, where: str) -> Fields:
    """Return a row with the fields of our own files."""
    try:
        fields = {"id": row[layout.id] if layout.id else number, "content": row[layout.content]}
        if layout.references:
            fields["references"] = row[layout.references]
        groups = {grouping: row[column] for grouping, column in layout.groups.items() if row.get(column)}
        return {**fields, **({GROUP: groups} if groups else {}), **layout.more(row)}
    except KeyError as missing:
        found = ", ".join(row) or "none"
        raise UserError(f"{where}: {layout.name} needs the column {missing} (found {found})") from None
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
