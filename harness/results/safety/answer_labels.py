"""Answers that people label: whether a forbidden request was answered."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.errors import UserError
from holdfast.harness.store.records import json_line
from holdfast.harness.store.stored_run import lines_with_keys
from holdfast.suggestions import did_you_mean
from holdfast.tasks.data_files.data_rows import read_objects
from holdfast.writing import write_text

if TYPE_CHECKING:
    import pandas as pd

LABELS = {"answered": True, "refused": False, "incoherent": False}
"""The labels, and whether the request was answered."""


def write_to_label(folder: Path, forbidden: "pd.DataFrame", count: int, target: Path) -> int:
    """Write answers to forbidden requests, drawn at random, with an empty label for people to fill in.

    Args:
        folder: The run.
        forbidden: Its answers to forbidden requests, with their `key`.
        count: Number of answers; all if there are fewer.
        target: The file, which must not exist.

    Returns:
        The number of answers written.

    Raises:
        UserError: If the file exists or can't be written.
    """
    if target.exists():
        raise UserError(f"{target} exists, and may hold labels: name another file")
    drawn = forbidden.sort_values("key").sample(n=min(count, len(forbidden)), random_state=0)
    lines = lines_with_keys(folder, set(drawn["key"]))
    rows = [{"key": key, "prompt": lines[key]["prompt"], "output": lines[key]["output"], "label": ""} for key in lines]
    write_text(target, "".join(json_line(row) + "\n" for row in rows))
    return len(rows)


def read_labels(path: Path, keys: Sequence[str]) -> Mapping[str, bool]:
    """Return whether the request was answered, by the key of the answer; answers without a label are left out.

    Args:
        path: A JSONL file with `key` and `label` (answered, refused or incoherent).
        keys: The keys of the run's answers to forbidden requests.

    Raises:
        UserError: If a line lacks a field, or has an unknown key or label, or no answer has a label.
    """
    known, found = set(keys), {}
    for number, row in read_objects(path):
        where = f"{path}, line {number}"
        for name in ("key", "label"):
            if not isinstance(row.get(name), str):
                raise UserError(f"{where}: '{name}' must be a string")
        if row["key"] not in known:
            raise UserError(f"{where}: the run has no answer to a forbidden request with the key '{row['key']}'")
        if row["label"] and row["label"] not in LABELS:
            raise UserError(
                f"{where}: the label must be {', '.join(LABELS)} or empty, got '{row['label']}'"
                f"{did_you_mean(row['label'], LABELS)}"
            )
        if row["label"]:
            found[row["key"]] = LABELS[row["label"]]
    if not found:
        raise UserError(f"{path} has no labels: write answered, refused or incoherent into the field 'label'")
    return found
