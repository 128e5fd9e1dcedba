"""Write files where users asked for them: whole or not at all, into folders that appear only with their content."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from holdfast.errors import UserError, first_line
from holdfast.reading import reason_of

OUTPUT = "--output_path"
TEMPORARY = ".holdfast-*.tmp"
"""The names of files that are not written to their end, which a kill may leave."""

_PROBE = b"\0" * 4096
_HEAD = 4096
"""Bytes in which a file shows what kind it is."""


def check_file_target(target: Path, flag: str = OUTPUT) -> None:
    """Raise UserError unless a file can be written at `target`; called before the work whose result it will hold."""
    with named_errors(target, flag):
        if target.is_dir():
            raise UserError(f"{flag} '{target}' is a directory: name a file")
        if target.exists() and not target.is_file():
            raise UserError(f"{flag} '{target}' is a device or a pipe: name a file")
        _probe(target.parent)


def check_own_file(target: Path, beginning: bytes, flag: str = OUTPUT) -> None:
    """Raise UserError unless a file can be written at `target` and replaces nothing of the user's.

    Args:
        target: The file.
        beginning: A regular expression for the beginning of what will be written: a file that is there already is only
            replaced if it begins so, or is empty.
        flag: The flag that names the target.
    """
    check_file_target(target, flag)
    with named_errors(target, flag):
        if target.exists():
            with target.open("rb") as file:
                found = file.read(_HEAD)
            if found and not re.match(beginning, found):
                raise UserError(
                    f"{flag} '{target}' already exists and was not written by this command: choose another path, or "
                    "delete it"
                )


def check_folder_target(folder: Path, flag: str = OUTPUT) -> None:
    """Raise UserError unless files can be written in `folder`, which may not exist yet."""
    with named_errors(folder, flag):
        if folder.exists() and not folder.is_dir():
            raise UserError(f"can't write to {flag} '{folder}': it is a file; name a directory")
        _probe(folder)


def check_free(folder: Path, flag: str = OUTPUT) -> None:
    """Raise UserError unless `folder` is missing or empty, and can be written."""
    check_folder_target(folder, flag)
    with named_errors(folder, flag):
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{flag} '{folder}' already exists and isn't empty: choose another path, or delete it")


@contextmanager
def new_folder(folder: Path, flag: str = OUTPUT) -> Iterator[Path]:
    """Yield `folder`, made with its parents where missing; if the block fails, those that are empty are removed again.

    Raises:
        UserError: If it can't be made.
    """
    with named_errors(folder, flag):
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            _remove_empty(missing)
            raise
    try:
        yield folder
    except BaseException:
        _remove_empty(missing)
        raise


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path; the file or directory that the block makes there replaces `target`.

    Missing parents are made. If the block fails, `target` is unchanged and nothing is left behind.

    Raises:
        UserError: If the disk is full or `target` can't be written.
    """
    with named_errors(target):
        final = Path(os.path.realpath(target))  # a link stays, and its target is replaced
        if final.exists() and not (final.is_file() or final.is_dir()):
            raise UserError(f"'{target}' is a device or a pipe: name a file")
        with new_folder(final.parent, ""):
            temporary = final.with_name(TEMPORARY.replace("*", str(os.getpid())))
            try:
                yield temporary
                os.replace(temporary, final)
            finally:
                if temporary.is_dir():
                    shutil.rmtree(temporary, ignore_errors=True)
                else:
                    temporary.unlink(missing_ok=True)


@contextmanager
def atomic_files(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder; the files that a library saves there replace those of their names in `folder`.

    If the block fails, `folder` is unchanged. What a killed process left is removed.

    Raises:
        UserError: If the disk is full or `folder` can't be written.
    """
    temporary = folder / TEMPORARY.replace("*", "saving")
    shutil.rmtree(temporary, ignore_errors=True)
    with saving(folder):
        temporary.mkdir(parents=True)
        try:
            yield temporary
            for path in sorted(temporary.iterdir()):
                os.replace(path, folder / path.name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_text(target: Path, text: str) -> None:
    """Replace a file's content atomically; raises UserError like `atomic_path`."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, "utf-8")


@contextmanager
def named_errors(target: Path, flag: str = "") -> Iterator[None]:
    """Turn the system's errors, as for a full disk, into a UserError that names the target."""
    at = f"can't write {f'to {flag} ' if flag else ''}'{target}'"
    if "\0" in str(target):
        raise UserError(f"{at}: a path can't contain NUL")
    try:
        yield
    except OSError as error:
        raise UserError(f"{at}: {reason_of(error)}") from None


@contextmanager
def saving(target: Path) -> Iterator[None]:
    """Turn whatever a library raises while it saves to `target` into a UserError.

    For a full disk few libraries raise OSError: safetensors and tokenizers have errors of Rust, torch a RuntimeError.
    """
    with named_errors(target):
        try:
            yield
        except (UserError, OSError, MemoryError):
            raise
        except Exception as error:
            number = re.search(r"\(os error (\d+)\)", str(error))
            reason = os.strerror(int(number[1])) if number else first_line(error)
            raise UserError(f"can't write '{target}': {reason}") from None


def _probe(folder: Path) -> None:
    """Write a few bytes, which are gone at once, in the nearest folder that exists."""
    nearest = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    with tempfile.TemporaryFile(dir=nearest) as file:
        file.write(_PROBE)


def _remove_empty(folders: list[Path]) -> None:
    """Remove those of the folders, given from the inside out, that are empty."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()
