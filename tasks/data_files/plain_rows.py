"""Rows of tables and data sets with values as JSON has them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from holdfast.errors import UserError

Fields = dict[str, Any]
"""The fields of a row."""


def plain_rows(rows: Iterable[Mapping[Any, Any]]) -> Iterator[tuple[int, Fields | UserError]]:
    """Yield rows with numbers, their values as JSON has them: arrays become lists, and missing values null."""
    for number, row in enumerate(rows, 1):
        yield number, {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # numpy's
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if str(value) in ("<NA>", "NaT") or value != value:  # pandas has several values for nothing
        return None
    return value if isinstance(value, float) else str(value)
