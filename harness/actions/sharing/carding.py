"""`holdfast card`: the robustness card of an adapter, written from a run and verified against it."""

from collections.abc import Iterator
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.models.checkpoints import digest_of, find_checkpoint
from holdfast.harness.results.export.card_section import BEGINNING as SECTION
from holdfast.harness.results.export.card_section import put_into, section_of
from holdfast.harness.results.export.exported_run import ExportedRun, exported_run, file_names
from holdfast.harness.results.export.robustness_card import (
    BEGINNING,
    FILE,
    RobustnessCard,
    card_of,
    differences,
    read_robustness_card,
)
from holdfast.harness.results.reopening import as_in_run
from holdfast.reading import SETTINGS_LIMIT, read_bytes
from holdfast.writing import atomic_path, check_own_file, write_text

SECTION_FILE = "holdfast.md"


def write_card(run: Path, adapter: str, *, output_path: Path | None = None, into: Path | None = None) -> list[Path]:
    """Write the robustness card of an adapter, and its section for a model card.

    Args:
        run: The directory of a finished run.
        adapter: The adapter's name in the run.
        output_path: A folder for `holdfast.json` and `holdfast.md`; by default `cards/ADAPTER` in the run.
        into: A model card whose section is written or replaced, in the place of `holdfast.md`.

    Returns:
        The files that were written.

    Raises:
        UserError: If the run isn't finished or has no such adapter, or a file can't be written or isn't such a card.
    """
    found = exported_run(run)
    card = card_of(found, adapter)
    folder = output_path or run / "cards" / file_names([adapter])[adapter]
    check_own_file(folder / FILE, BEGINNING)
    section = section_of(card)
    if into is None:
        target, text = folder / SECTION_FILE, section
        check_own_file(target, SECTION)
    else:
        target, text = into, put_into(_text_of(into), section, str(into))
    write_text(folder / FILE, card.model_dump_json(indent=2) + "\n")
    with atomic_path(target) as path:
        path.write_bytes(text.encode())
    return [folder / FILE, target]


def verify_card(file: Path, run: Path) -> list[str]:
    """Compute a card again from a run, and return a line for each difference.

    Also compared are the digests of the files of the adapter and its base, if they still are where the run found them.

    Raises:
        UserError: If there is no such card or run, or the run was changed since it was finished.
    """
    card = read_robustness_card(file)
    found = exported_run(run)
    return [*differences(card, card_of(found, card.adapter)), *_changed_files(card, found)]


def _changed_files(card: RobustnessCard, found: ExportedRun) -> Iterator[str]:
    entry = found.parts_of(card.adapter)[0].adapter
    paths = {"adapter": (entry.path, card.adapter_digest)}
    if "pretrained" in found.manifest.config.model_args:
        paths["base"] = (found.base, card.base_digest)
    for what, (path, digest) in paths.items():
        if path is None:
            continue
        with as_in_run(found.manifest):
            try:
                there = digest_of(find_checkpoint(path) if what == "base" else Path(path))
            except (UserError, OSError):
                continue  # moved or deleted: its digest in the run is all there is
        if there != digest:
            yield f"the files of the {what} at '{path}' have changed since: their digest is {there}"


def _text_of(file: Path) -> str:
    try:
        return read_bytes(file, "model card", limit=SETTINGS_LIMIT).decode()
    except UnicodeDecodeError:
        raise UserError(f"model card '{file}' is not UTF-8: convert it first") from None
