"""`holdfast correct`: a trained adapter mended without training, with a card that accounts for every module."""

import hashlib
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.errors import UserError
from holdfast.harness.actions.correction_card import CARD, CorrectionCard, CorrectionSettings, make_card
from holdfast.harness.actions.subspaces import Subspace, SubspaceManifest
from holdfast.harness.models.adapter_files import AdapterFiles, check_free, read_adapter, write_adapter
from holdfast.harness.models.checkpoint_pairs import CheckpointPair
from holdfast.harness.models.checkpoints import digest_of, find_checkpoint, find_local

if TYPE_CHECKING:
    from holdfast.training.corrections import Correction, Directions, Factors


def correct(
    adapter: str,
    subspace: Path,
    out: Path,
    settings: Iterable[CorrectionSettings],
    *,
    allow_pickle: bool = False,
) -> list[tuple[Path, CorrectionCard]]:
    """Write one corrected adapter at `out`, or, for several settings that differ in their strength, one each at
    `out/strength-S`; the paths and cards. Raises UserError before anything is written."""
    chosen = list(settings)
    source, space = read_adapter(adapter, allow_pickle=allow_pickle), Subspace(subspace)
    check_base(source, space.manifest)
    targets = [out if len(chosen) == 1 else out / f"strength-{each.strength:g}" for each in chosen]
    for target in targets:
        check_free(target)
    if source.others:
        kept = ", ".join(sorted({key.removeprefix("base_model.model.") for key in source.others})[:3])
        warnings.warn(f"{len(source.others)} tensors outside of the theory are kept as they are: {kept}", stacklevel=2)
    started = time.perf_counter()
    found = _corrected(source.factors, space, chosen)
    seconds = (time.perf_counter() - started) / len(chosen)
    if not any(sum(each.energies) for each in found[0].values()):
        warnings.warn(f"adapter '{adapter}' changes nothing: its update is 0", stacklevel=2)
    with subspace.open("rb") as stream:
        digests = {"adapter": source.digest, "subspace": hashlib.file_digest(stream, "sha256").hexdigest()}
    written = []
    for target, each, corrections in zip(targets, chosen, found, strict=True):
        card = make_card(adapter, digests, space.manifest, each, corrections, source.others, seconds)
        factors = {name: correction.factors for name, correction in corrections.items()}
        write_adapter(source, factors, target, {CARD: card.model_dump_json(indent=2) + "\n"})
        written.append((target, card))
    return written


def check_base(source: AdapterFiles, manifest: SubspaceManifest) -> None:
    """Raise UserError where the adapter's base is neither of the subspace's checkpoints; warn where nobody can tell."""
    name = str(source.config.get("base_model_name_or_path") or "")
    folder = find_local(name)
    if folder is None and name not in (manifest.aligned, manifest.base):
        warnings.warn(
            f"the adapter's base '{name}' is not at hand: only names and shapes of its modules were compared with "
            f"'{manifest.aligned}'",
            stacklevel=3,
        )
    if folder is not None and digest_of(folder) not in (manifest.aligned_digest, manifest.base_digest):
        raise UserError(
            f"the adapter does not belong to this subspace: it was trained on '{name}', the subspace is of "
            f"'{manifest.base}' and '{manifest.aligned}'"
        )


def print_correction(path: Path, card: CorrectionCard) -> None:
    """One line: what was done and how far it went."""
    strength = "" if card.settings.strength is None else f" {card.settings.strength:g}"
    sizes = {part: sum(m.energies[part] for m in card.modules) for part in card.modules[0].energies}
    total = sum(sizes.values()) or 1.0
    shares = ", ".join(f"{part} {size / total:.1%}" for part, size in sizes.items())
    print(
        f"{card.settings.method}{strength}: {len(card.modules)} modules ({shares}), moved by "
        f"{card.relative_distance:.1%}{'' if card.relative_distance else ' (nothing was changed)'}, "
        f"sign {card.sign_cosine:+.3f}; written to {path}"
    )


def _corrected(
    factors: "Mapping[str, Factors]", space: Subspace, settings: list[CorrectionSettings]
) -> "list[dict[str, Correction]]":
    """The corrections of every module, by settings; each module is read and split once."""
    from holdfast.training.corrections import safelora
    from holdfast.training.corrections.factors import matched

    if settings[0].method == "safelora":
        limits = {name: getattr(settings[0], name) for name in ("threshold", "number")}
        given = {name: value for name, value in limits.items() if value is not None}
        return [safelora(factors, _displacements(space.manifest), space, **given)]
    found: list[dict[str, Correction]] = [{} for _ in settings]
    for name, module, directions in matched(factors, space):
        for each, correction in zip(found, _one(name, module, directions, settings), strict=True):
            each[name] = correction
    return found


def _one(
    name: str, factors: "Factors", directions: "Directions", settings: list[CorrectionSettings]
) -> "Iterator[Correction]":
    """One module's corrections, by settings."""
    from holdfast.training.corrections.controls import projected, random_directions, shrunk
    from holdfast.training.corrections.csulora import attenuated
    from holdfast.training.corrections.splitting import split

    if settings[0].method == "random_subspace":
        directions = random_directions(directions, name, settings[0].seed)
    parts = split(factors, directions)
    for each in settings:
        strength = each.strength or 0.0
        if each.method == "shrink":
            yield shrunk(parts, strength)
        elif each.method == "project":
            yield projected(parts)
        else:
            yield attenuated(
                parts,
                strength,
                signed=each.signed,
                per_direction=each.per_direction,
                separable=each.separable,
                rank=each.rank,
            )


def _displacements(manifest: SubspaceManifest) -> CheckpointPair:
    """The checkpoints that the subspace was made of: SafeLoRA needs all of D. Raises UserError where they are gone."""
    folders = []
    for name, digest in ((manifest.base, manifest.base_digest), (manifest.aligned, manifest.aligned_digest)):
        folder = find_checkpoint(name)
        if digest_of(folder) != digest:
            raise UserError(f"safelora needs the checkpoints that the subspace was made of; '{name}' has changed since")
        folders.append(folder)
    return CheckpointPair(folders[0], folders[1])
