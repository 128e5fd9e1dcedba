"""The rows of a data file or data set, whatever its format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from holdfast.errors import UserError, first_line
from holdfast.reading import check_readable, parse_json
from holdfast.tasks.data_files.data_sets import read_data_set
from holdfast.tasks.data_files.plain_rows import Fields, plain_rows
from holdfast.tasks.data_files.table_rows import table_rows
from holdfast.tasks.data_files.text_lines import REPAIR, UTF_8, text_lines

TEXT_AT_LABEL = ".txt"
"""The ending of files with a text, `@` and a label in each line, as Financial PhraseBank has them."""

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_JSON = ".json"
FORMATS = (".jsonl", ".ndjson", _JSON, *_SEPARATORS, ".parquet", TEXT_AT_LABEL)
"""The endings of data files."""


@dataclass(frozen=True, slots=True)
class DataRows:
    """The rows of a source.

    Attributes:
        where: The source, for messages.
        unit: What its numbers count: lines of a file, or rows.
        rows: Number and fields of each row; for a row that can't be read, what is wrong.
        numbered: Whether rows without an id are called by their number.
    """

    where: str
    unit: str
    rows: Iterator[tuple[int, Fields | UserError]]
    numbered: bool = True

    def mapped(self, make: Callable[[int, Fields, str], Fields]) -> "DataRows":
        """Return the rows with other fields.

        Args:
            make: Returns the fields made of a row's number, its fields and its place for messages; raises UserError if
                something is wrong with the row.
        """
        return replace(self, rows=self._each(make))

    def _each(self, make: Callable[[int, Fields, str], Fields]) -> Iterator[tuple[int, Fields | UserError]]:
        for number, fields in self.rows:
            if isinstance(fields, UserError):
                yield number, fields
                continue
            try:
                yield number, make(number, fields, f"{self.where}, {self.unit} {number}")
            except UserError as error:
                yield number, error


def data_rows(
    source: str | Path,
    *,
    encoding: str | None = None,
    split: str | None = None,
    config: str | None = None,
    lists: bool = True,
) -> DataRows:
    """Return the rows of a data file (by its ending), a folder written by `save_to_disk`, or a data set of a hub.

    Args:
        source: The file or folder, or a hub name (`owner/name`).
        encoding: The encoding of a text file (`text_lines`); by default UTF-8, and `repair` for lines of `text@label`.
        split: The split of a data set; by default the first there is of test, validation and train.
        config: The configuration of a data set.
        lists: Whether a cell of a CSV or TSV file that is a JSON list of texts is a list, not a text.

    Raises:
        UserError: If it can't be read at all.
    """
    path = Path(source)
    if path.suffix not in FORMATS:
        return DataRows(str(source), "row", read_data_set(str(source), split, config))
    if path.suffix == ".parquet":
        return DataRows(str(path), "row", _parquet(path))
    if path.suffix == TEXT_AT_LABEL:
        return DataRows(str(path), "line", _labelled(path, encoding or REPAIR))
    if path.suffix in _SEPARATORS:
        return DataRows(str(path), "row", table_rows(path, _SEPARATORS[path.suffix], encoding or UTF_8, lists=lists))
    if path.suffix == _JSON and _is_list(path, encoding or UTF_8):
        return DataRows(str(path), "row", _json_list(path, encoding or UTF_8))
    return DataRows(str(path), "line", _json_lines(path, encoding or UTF_8), numbered=False)


def read_objects(path: Path) -> Iterator[tuple[int, Fields]]:
    """Yield the line number and the object of each line in a JSONL file, skipping blank lines.

    Args:
        path: The file.

    Raises:
        UserError: If the file is missing, unreadable or not UTF-8, or a line is not a JSON object.
    """
    for number, fields in _json_lines(path, UTF_8):
        if isinstance(fields, UserError):
            raise fields
        yield number, fields


def _json_lines(path: Path, encoding: str) -> Iterator[tuple[int, Fields | UserError]]:
    for number, line in text_lines(path, encoding):
        if isinstance(line, UserError):
            yield number, line
            continue
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            value = parse_json(line, where, unique=True)
        except UserError as error:
            yield number, error
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            yield (
                number,
                UserError(f"{where}: expected a JSON object with named fields, got {line.strip()[:40]}"),
            )


def _is_list(path: Path, encoding: str) -> bool:
    """Return whether a JSON file is one list, not an object in each line."""
    lines = (line for _, line in text_lines(path, encoding) if isinstance(line, UserError) or line.strip())
    first = next(lines, "")
    return isinstance(first, str) and first.lstrip().startswith("[")


def _json_list(path: Path, encoding: str) -> Iterator[tuple[int, Fields | UserError]]:
    lines = []
    for _, line in text_lines(path, encoding):
        if isinstance(line, UserError):
            raise line
        lines.append(line)
    for number, value in enumerate(parse_json("\n".join(lines), str(path), unique=True), 1):
        if isinstance(value, dict):
            yield number, value
        else:
            yield number, UserError(f"{path}, row {number}: expected an object with named fields, got {value!r:.40}")


def _labelled(path: Path, encoding: str) -> Iterator[tuple[int, Fields | UserError]]:
    for number, line in text_lines(path, encoding):
        if isinstance(line, UserError):
            yield number, line
        elif line.strip():
            text, at, label = line.rpartition("@")
            if at and text.strip() and label.strip():
                yield number, {"content": text.strip(), "references": label.strip()}
            else:
                yield (
                    number,
                    UserError(f"{path}, line {number}: expected text@label, got {line.strip()[:40]!r}"),
                )


def _parquet(path: Path) -> Iterator[tuple[int, Fields | UserError]]:
    import pandas as pd

    check_readable(path)
    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise UserError(f"can't read '{path}': parquet files need pyarrow: pip install 'holdfast-eval[data]'") from None
    except (OSError, ValueError) as error:
        raise UserError(f"can't read '{path}': {first_line(error)}") from None
    return plain_rows(frame.to_dict("records"))
