"""Safetensors files that are never half-written, and many joined into one without holding them in memory."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


def write_whole(path: Path, tensors: "Mapping[str, Tensor]", metadata: Mapping[str, str]) -> None:
    """Write a safetensors file; it stands at `path` whole or not at all."""
    from safetensors.torch import save_file

    with beside(path) as temporary:
        save_file(dict(tensors), temporary, dict(metadata))


def join(parts: Sequence[Path], target: Path, metadata: Mapping[str, str]) -> None:
    """One safetensors file with all tensors of `parts`, copied as bytes, in their order.

    The format: 8 bytes with the header's length, the header (JSON: dtype, shape and place of each tensor), the data.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    at = 0
    for part in parts:
        tensors, size = _header(part)
        tensors.pop("__metadata__", None)
        for name, about in tensors.items():
            header[name] = {**about, "data_offsets": [at + place for place in about["data_offsets"]]}
        at += part.stat().st_size - size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with beside(target) as temporary, temporary.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for part in parts:
            with part.open("rb") as source:
                source.seek(_header(part)[1])
                shutil.copyfileobj(source, out)


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A temporary path beside `target`, of a file or a folder that the block makes; afterwards it is renamed.

    Where the block or the renaming fails, nothing stands at `target` that was not there before, and nothing is left
    beside it. Raises UserError where the disk is full or can't be written.
    """
    from safetensors import SafetensorError

    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, target)
    except (OSError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"can't write '{target}': {reason}") from None
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def _header(file: Path) -> tuple[dict[str, Any], int]:
    """The header, and where the data begin."""
    with file.open("rb") as source:
        length = int.from_bytes(source.read(8), "little")
        return json.loads(source.read(length)), 8 + length
