"""Write safetensors files atomically, and join many into one without loading them into memory."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.writing import atomic_path, saving

if TYPE_CHECKING:
    from torch import Tensor


def write_whole(path: Path, tensors: "Mapping[str, Tensor]", metadata: Mapping[str, str]) -> None:
    """Write a safetensors file; it appears at `path` whole or not at all; raises UserError if it can't be written."""
    from safetensors.torch import save_file

    with atomic_path(path) as temporary, saving(path):
        save_file(dict(tensors), temporary, dict(metadata))


def join_files(parts: Sequence[Path], target: Path, metadata: Mapping[str, str]) -> None:
    """Join safetensors files into one, copying the tensors as bytes, in order.

    The format: 8 bytes with the header's length, the header (JSON: dtype, shape and offsets of each tensor), the data.
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
    with atomic_path(target) as temporary, temporary.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for part in parts:
            with part.open("rb") as source:
                source.seek(_header(part)[1])
                shutil.copyfileobj(source, out)


def _header(file: Path) -> tuple[dict[str, Any], int]:
    """Return the header, and the offset at which the data begin."""
    with file.open("rb") as source:
        length = int.from_bytes(source.read(8), "little")
        return json.loads(source.read(length)), 8 + length
