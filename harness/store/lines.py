"""Read the lines of samples.jsonl, and check that each has the fields of an answer and their types."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, Strict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic takes the standard library's from Python 3.12 on

from holdfast.errors import UserError
from holdfast.reading import check_readable, parse_json, place_of

Line = dict[str, Any]
"""A line of samples.jsonl: the fields of `Record`."""

_Number = Annotated[float, Field(gt=-1e300, lt=1e300)]  # which NaN and infinity are not
_Count = Annotated[int, Field(ge=0, lt=2**53)]
EditFields = Annotated[tuple[Annotated[int, Field(ge=0)], str, str], Strict(False)]
"""An edit in JSON: [position, removed, inserted]."""


@with_config(ConfigDict(strict=True, extra="allow"))
class _Segment(TypedDict):
    side: Literal["clean", "perturbed"]
    text: str
    partner: NotRequired[str | None]
    drift: _Number
    reason: str
    start: NotRequired[int]  # earlier versions wrote neither start nor links
    links: NotRequired[list[Annotated[tuple[_Number, _Number, _Number], Strict(False)]]]


@with_config(ConfigDict(strict=True, extra="allow"))
class _Answer(TypedDict):
    key: str
    adapter: str
    adapter_digest: str
    task: str
    sample: str
    perturbation: str
    severity: str
    repeat: _Count
    edit_rate: _Number
    edits: list[EditFields]
    meaning: _Number | None
    prompt: str
    output: str
    tokens: _Count
    finish: str
    truncated: bool
    scores: dict[str, _Number]
    reason: str
    encoder: str
    likelihoods: NotRequired[list[_Number]]
    reasoning: NotRequired[str]
    margins: NotRequired[Annotated[tuple[str, str], Strict(False)]]
    item: NotRequired[str]
    groups: NotRequired[list[str]]
    failure: NotRequired[str]
    segments: NotRequired[list[_Segment]]


_ANSWER = TypeAdapter(_Answer)


def read_lines(path: Path) -> Iterator[tuple[str, Line]]:
    """Yield the place, for messages, and the fields of each complete line of a samples.jsonl.

    Raises:
        UserError: If the file can't be read, or at a line that no run writes.
    """
    check_readable(path)
    with path.open("rb") as lines:
        for number, text in enumerate(lines, 1):
            if not text.endswith(b"\n"):
                return
            where = f"{path}, line {number}"
            yield where, parse_line(text, where)


def parse_line(text: bytes, where: str) -> Line:
    """Return the fields of a line of samples.jsonl; raises UserError, naming `where` it is, if no run writes it."""
    try:
        try:
            return dict(_ANSWER.validate_json(text))
        except ValidationError as error:
            if error.errors()[0]["type"] != "json_invalid":
                raise
            return dict(_ANSWER.validate_python(parse_json(text, where)))  # valid, but for a lone surrogate
    except ValidationError as error:
        what = error.errors()[0]["msg"].lower()
        raise UserError(f"{where} is not an answer of a run: {place_of(error)}: {what}") from None
