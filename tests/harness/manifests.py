"""Change a run's run.json as another version of Holdfast, machine or time would have written it."""

import json
from pathlib import Path
from typing import Any


def change_manifest(folder: Path, **changes: Any) -> None:
    """Change fields; the digest of the file itself goes, as in runs of earlier versions."""
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes, "own_sha256": None}))
