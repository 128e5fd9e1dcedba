"""The lines of a text file in any encoding, each checked for itself."""

import codecs
import warnings
from collections.abc import Iterator
from pathlib import Path

from holdfast.errors import UserError
from holdfast.reading import check_readable, read_bytes
from holdfast.suggestions import did_you_mean

LONGEST = 16 * 2**20
"""Bytes of the longest line that is read."""

_BLOCK = 2**20

UTF_8, REPAIR = "utf-8", "repair"
"""Encodings: the usual one, and the one that repairs a file that mixes UTF-8 with Latin-1."""

_COMMON = (UTF_8, REPAIR, "latin-1", "cp1252", "utf-16")

_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_lines(path: Path, encoding: str = UTF_8) -> Iterator[tuple[int, str | UserError]]:
    """Yield the number and the text of each line, without its end; for a line that can't be read, what is wrong.

    The encoding `repair` reads each line as UTF-8, or else as Windows-1252, and undoes wrong decodings (`Ã©` for `é`)
    with ftfy; a warning says how many lines it changed.

    Args:
        path: The file.
        encoding: A name that Python knows, or `repair`.

    Raises:
        UserError: If the file or the encoding can't be read at all.
    """
    check_encoding(encoding)
    repaired, number = 0, 0
    for number, raw in _raw_lines(path, encoding):
        if raw is None:
            yield number, UserError(f"{path}, line {number}: longer than {LONGEST >> 20} MiB; split it, or remove it")
            continue
        try:
            if encoding == REPAIR:
                text = _repaired(raw)
                repaired += text.encode("utf-8", "surrogatepass") != raw
            else:
                text = raw.decode(encoding)
        except UnicodeDecodeError as error:
            yield number, UserError(f"{path}, line {number}: {_advice(encoding, error)}")
            continue
        yield number, text.removeprefix("\ufeff") if number == 1 else text
    if repaired:
        warnings.warn(f"{path}: repaired the encoding of {repaired} of {number} lines", stacklevel=2)


def check_encoding(encoding: str) -> None:
    """Raise UserError for an encoding that Python doesn't know."""
    try:
        text = encoding == REPAIR or codecs.lookup(encoding)._is_text_encoding  # type: ignore[attr-defined]
    except (LookupError, ValueError):
        text = False
    if not text:
        raise UserError(f"unknown encoding '{encoding}'{did_you_mean(encoding, _COMMON)}")


def _raw_lines(path: Path, encoding: str) -> Iterator[tuple[int, bytes | None]]:
    """Yield the bytes of each line; None for one that is too long, which is never held as a whole."""
    if encoding != REPAIR and "\n".encode(encoding) != b"\n":  # UTF-16 has zeros, and other bytes that look like ends
        try:
            whole = read_bytes(path).decode(encoding, "surrogateescape").split("\n")
            lines = [line.encode(encoding, "surrogateescape") for line in whole]
        except UnicodeError as error:
            raise UserError(f"{path}: not {encoding} ({error})") from None
        yield from enumerate(lines, 1)
        return
    check_readable(path)
    number = 0
    with path.open("rb") as stream:
        if stream.peek(2)[:2] in _UTF_16_MARKS:  # as spreadsheets save "Unicode text"
            raise UserError(f"{path} is UTF-16: name this encoding (utf-16), or save the file as UTF-8")
        while line := stream.readline(LONGEST + 1):
            number += 1
            too_long = len(line) > LONGEST
            while too_long and line and not line.endswith(b"\n"):
                line = stream.readline(_BLOCK)
            yield number, None if too_long else line.removesuffix(b"\n").removesuffix(b"\r")


def _repaired(raw: bytes) -> str:
    import ftfy

    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace") if b"\x81" not in raw else raw.decode("latin-1")
    return ftfy.fix_encoding(text)


def _advice(encoding: str, error: UnicodeDecodeError) -> str:
    byte = f"byte {error.object[error.start]:#04x}"
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return f"not UTF-8 ({byte}); save the file as UTF-8, or name its encoding: latin-1, cp1252, repair (mixed), ..."
    return f"not {encoding} ({byte}); name another encoding, such as {REPAIR} for a file that mixes UTF-8 and Latin-1"
