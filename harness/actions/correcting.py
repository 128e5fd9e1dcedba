"""`holdfast correct`: correct a trained adapter without training, with a card that accounts for every module."""

import hashlib
import time
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.errors import UserError
from holdfast.harness.actions.correction_settings import (
    SWEPT,
    CorrectionSettings,
    list_differences,
    make_card,
    make_settings,
)
from holdfast.harness.actions.subspaces import Subspace, SubspaceManifest
from holdfast.harness.models.adapter_checks import WEIGHTS
from holdfast.harness.models.adapter_files import AdapterFiles, read_adapter, write_adapter
from holdfast.harness.models.checkpoint_pairs import CheckpointPair
from holdfast.harness.models.checkpoints import digest_of, find_checkpoint, find_local
from holdfast.paths import as_path
from holdfast.training.correction_card import CARD, CorrectionCard, read_correction
from holdfast.writing import check_free

if TYPE_CHECKING:
    from torch import Tensor

    from holdfast.training.corrections import Correction
    from holdfast.training.corrections.factored.factors import Factors


class Corrected(NamedTuple):
    """A corrected adapter: where it is, and the card that accounts for every module."""

    path: Path
    card: CorrectionCard


def correct(
    adapter: str | Path,
    subspace: str | Path,
    output_path: str | Path,
    *,
    method: str = "csulora",
    strength: float | Sequence[float] | str | None = None,
    settings: Mapping[str, Any] | None = None,
    allow_pickle: bool = False,
) -> list[Corrected]:
    """Correct a trained adapter without training it again.

    Args:
        adapter: A peft directory, a hub name or a shipped adapter.
        subspace: The file that `holdfast subspace` wrote.
        output_path: Where the corrected adapter is written; for several strengths, each to `strength-S` in it.
        method: A correction (see `holdfast ls methods`).
        strength: How much to correct, for methods that have it; several are a sweep.
        settings: Further settings of the method (see `holdfast correct --help`).
        allow_pickle: Also read adapter_model.bin, which may run code.

    Returns:
        One result per strength.

    Raises:
        UserError: For any mistake in the input, before anything is written.
    """
    if strength is not None and SWEPT in (settings or {}):
        raise UserError("strength is given twice: leave it out of settings")
    given = dict(settings or {}) if strength is None else {**(settings or {}), SWEPT: strength}
    paths = as_path(subspace, "subspace"), as_path(output_path, "output_path")
    return _correct(str(adapter), *paths, make_settings(method, **given), allow_pickle)


def _correct(
    adapter: str, subspace: Path, out: Path, chosen: list[CorrectionSettings], allow_pickle: bool
) -> list[Corrected]:
    space, source = Subspace(subspace), read_adapter(adapter, allow_pickle=allow_pickle)
    check_base(source, space.manifest)
    with subspace.open("rb") as stream:
        digests = {"adapter": source.digest, "subspace": hashlib.file_digest(stream, "sha256").hexdigest()}
    targets = [out if len(chosen) == 1 else out / f"strength-{each.strength:g}" for each in chosen]
    cards = [_find_made(target, each, digests) for target, each in zip(targets, chosen, strict=True)]
    missing = [i for i, card in enumerate(cards) if card is None]
    if len(missing) < len(cards):
        kept = ", ".join(str(target) for target, card in zip(targets, cards, strict=True) if card)
        warnings.warn(f"already made from the same files and settings, and kept: {kept}", stacklevel=2)
    uncovered = _find_uncovered(source, space.manifest)
    left = [*source.others, *uncovered]
    if left and missing:
        shown = ", ".join(sorted({key.removeprefix("base_model.model.") for key in left})[:3])
        warnings.warn(f"what no correction covers is kept as it is, {len(left)} in all: {shown}", stacklevel=2)
    started = time.perf_counter()
    covered = {name: each for name, each in source.factors.items() if name not in uncovered}
    found = _corrected(covered, space, [chosen[i] for i in missing]) if missing else []
    seconds = (time.perf_counter() - started) / max(1, len(missing))
    if found and not any(sum(each.energies) for each in found[0].values()):
        warnings.warn(f"adapter '{adapter}' changes nothing: its update is 0", stacklevel=2)
    for i, corrections in zip(missing, found, strict=True):
        card = make_card(adapter, digests, space.manifest, chosen[i], corrections, left, seconds)
        factors = {**source.factors, **{name: correction.factors for name, correction in corrections.items()}}
        write_adapter(source, factors, targets[i], {CARD: card.model_dump_json(indent=2) + "\n"})
        cards[i] = card
    return [Corrected(target, card) for target, card in zip(targets, cards, strict=True) if card]


def _find_made(target: Path, settings: CorrectionSettings, digests: Mapping[str, str]) -> CorrectionCard | None:
    """Return the card of an adapter that was written to `target` before from the same files and settings, or None.

    Raises:
        UserError: If `target` holds anything else, or can't be written.
    """
    card = read_correction(target)
    if card is None or not (target / WEIGHTS).is_file():
        check_free(target)
        return None
    if differing := list_differences(card, settings, digests):
        raise UserError(
            f"--output_path '{target}' already exists with another correction (different {', '.join(differing)}): "
            "choose another path, or delete it"
        )
    return card


def check_base(source: AdapterFiles, manifest: SubspaceManifest) -> None:
    """Raise UserError if the adapter's base is neither of the subspace's checkpoints; warn if that can't be checked."""
    name = str(source.config.get("base_model_name_or_path") or "")
    folder = find_local(name)
    if folder is None and name not in (manifest.aligned, manifest.base):
        warnings.warn(
            f"the adapter's base '{name}' was not found: only the names and shapes of its modules were compared with "
            f"'{manifest.aligned}'",
            stacklevel=3,
        )
    if folder is not None and digest_of(folder) not in (manifest.aligned_digest, manifest.base_digest):
        raise UserError(
            f"the adapter does not belong to this subspace: it was trained on '{name}', the subspace was made from "
            f"'{manifest.base}' and '{manifest.aligned}': make one with its base, by holdfast subspace"
        )


def print_correction(path: Path, card: CorrectionCard) -> None:
    """Print one line: what was done and how far the adapter moved."""
    strength = f" {card.settings[SWEPT]:g}" if SWEPT in card.settings else ""
    sizes = {part: sum(m.energies[part] for m in card.modules) for part in card.modules[0].energies}
    total = sum(sizes.values()) or 1.0
    shares = ", ".join(f"{part} {size / total:.1%}" for part, size in sizes.items())
    print(
        f"{card.method}{strength}: {len(card.modules)} modules ({shares}), moved by "
        f"{card.relative_distance:.1%}{'' if card.relative_distance else ' (unchanged)'}, "
        f"sign {card.sign_cosine:+.3f}; written to {path}"
    )


def _find_uncovered(source: AdapterFiles, manifest: SubspaceManifest) -> list[str]:
    """Return the adapter's modules that a subspace leaves out: the output head, embeddings.

    Raises:
        UserError: If there are no others.
    """
    left_out = {tensor.removesuffix(".weight") for tensor in manifest.skipped}
    found = [name for name in source.factors if _is_among(name, left_out) or name in source.embeddings]
    if len(found) == len(source.factors):
        changed = ", ".join([*found, *source.experts][:4])
        raise UserError(
            f"adapter '{source.path}' changes only {changed}, which a subspace leaves out: there is nothing to correct"
        )
    return found


def _is_among(name: str, known: Collection[str]) -> bool:
    """Whether a module is known by this name, or by one that differs only by a leading prefix."""
    return any(name == each or name.endswith(f".{each}") or each.endswith(f".{name}") for each in known)


def _corrected(
    factors: "Mapping[str, Factors]", space: Subspace, settings: list[CorrectionSettings]
) -> "list[dict[str, Correction]]":
    """Apply each of the settings to every module; each module is read and split once."""
    from holdfast.training.corrections.factored.module_update import ModuleUpdates, correct_modules
    from holdfast.training.starting import start

    modules = ModuleUpdates(factors, space, _Displacements(space.manifest))
    return correct_modules([start(each.method, each.values, modules) for each in settings], modules)


class _Displacements(Mapping[str, "Tensor"]):
    """D of every module of a subspace, from the checkpoints that it was made from; opened on first access."""

    def __init__(self, manifest: SubspaceManifest) -> None:
        self._manifest = manifest

    def __getitem__(self, name: str) -> "Tensor":
        return self._pair[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pair)

    def __len__(self) -> int:
        return len(self._pair)

    @cached_property
    def _pair(self) -> CheckpointPair:
        manifest, folders = self._manifest, []
        for name, digest in ((manifest.base, manifest.base_digest), (manifest.aligned, manifest.aligned_digest)):
            folder = find_checkpoint(name)
            if digest_of(folder) != digest:
                raise UserError(
                    f"this correction needs the checkpoints that the subspace was made from, but '{name}' has changed "
                    "since: make the subspace again"
                )
            folders.append(folder)
        return CheckpointPair(folders[0], folders[1])
