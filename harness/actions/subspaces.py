"""`holdfast subspace`: find the directions in which alignment moved a model, and store them in a safetensors file.

The manifest is in the file's metadata. Finished modules are kept in `FILE.parts` until the file is complete, so that
the same command resumes.
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.errors import UserError, first_line
from holdfast.harness.models.checkpoint_pairs import CheckpointPair
from holdfast.harness.models.checkpoints import digest_of, find_checkpoint
from holdfast.harness.models.devices import check_device
from holdfast.harness.models.safetensors_files import join_files, write_whole
from holdfast.harness.store.progress import progress_bar
from holdfast.harness.store.versions import versions
from holdfast.reading import check_readable, place_of, read_text
from holdfast.training.corrections.factored.factors import Directions
from holdfast.writing import check_file_target, check_free, new_folder, write_text

if TYPE_CHECKING:
    from torch import Tensor

PACKAGES = ("torch", "safetensors", "transformers")
_FLOATING = ("F64", "F32", "F16", "BF16")
_ENTRY, _MANIFEST, _PLAN = "entry", "manifest", "plan.json"


class SubspaceModule(BaseModel):
    """One module: D is m x n; `rank` directions hold the share `energy` of ||D||_F^2 = norm^2."""

    model_config = ConfigDict(extra="forbid")

    name: str
    shape: tuple[int, int]
    rank: int
    energy: float
    norm: float
    seconds: float


class SubspacePlan(BaseModel):
    """The inputs and settings of a subspace; equal plans give equal subspaces."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    base: str
    aligned: str
    base_digest: str
    aligned_digest: str
    rank: int | None = Field(None, ge=1)
    energy: float | None = Field(None, gt=0, le=1)
    seed: int = 0


class SubspaceManifest(SubspacePlan):
    """The manifest of a subspace file: its plan, its modules, and the tensors left out, with reasons."""

    modules: list[SubspaceModule]
    skipped: dict[str, str]
    versions: dict[str, str]
    seconds: float


class Subspace(Mapping[str, Directions]):
    """A subspace file: its manifest, and each module's directions, read on access."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest, self._tensors = _opened(path)
        self._norms = {module.name: module.norm for module in self.manifest.modules}

    def __iter__(self) -> Iterator[str]:
        return iter(self._norms)

    def __len__(self) -> int:
        return len(self._norms)

    def __contains__(self, name: object) -> bool:
        return name in self._norms

    def __getitem__(self, name: str) -> Directions:
        u, values, v = (self._tensors.get_tensor(f"{name}.{part}") for part in "usv")
        return Directions(u, values, v, self._norms[name])


def make_subspace(
    base: str,
    aligned: str,
    out: Path,
    *,
    rank: int | None = None,
    energy: float | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> SubspaceManifest:
    """Compute every module's directions and write the file, or resume an interrupted computation.

    Args:
        base: The checkpoint before alignment.
        aligned: The checkpoint after alignment.
        out: The file to write.
        rank: Number of directions in each module.
        energy: Or as many as hold this share of its displacement's energy; 0.9 if neither is given.
        seed: Seed of the randomised decomposition.
        device: Where to compute.

    Returns:
        The manifest of the file.

    Raises:
        UserError: If the checkpoints don't match, are equal, damaged or contain NaN, or if the file was made from other
            checkpoints or with other settings.
    """
    if rank is not None and energy is not None:
        raise UserError("--rank and --energy exclude each other: choose one")
    folders = find_checkpoint(base), find_checkpoint(aligned)
    digests = [digest_of(folder) for folder in folders]
    energy = 0.9 if rank is None and energy is None else energy
    if digests[0] == digests[1]:
        raise _equal(base, aligned)
    check_device(device)
    plan = _plan(
        base=base,
        aligned=aligned,
        base_digest=digests[0],
        aligned_digest=digests[1],
        rank=rank,
        energy=energy,
        seed=seed,
    )
    _check_usable(device)
    parts = out.with_name(f"{out.name}.parts")
    if not out.is_file():
        check_file_target(out)
    if out.exists():
        manifest = Subspace(out).manifest
        _check_same(manifest, plan, out)
        shutil.rmtree(parts, ignore_errors=True)  # left by a call that was killed after the file was complete
        return manifest
    pair = CheckpointPair(*folders, device)
    with new_folder(out.parent):
        _claim(parts, plan)
        entries = _make_parts(pair, parts, plan)
        if not any(entry.rank for entry in entries):
            shutil.rmtree(parts)
            raise _equal(base, aligned)
    manifest = SubspaceManifest(
        **plan.model_dump(),
        modules=entries,
        skipped=pair.skipped,
        versions=versions(PACKAGES),
        seconds=round(sum(entry.seconds for entry in entries), 3),
    )
    join_files(sorted(parts.glob("*.safetensors")), out, {_MANIFEST: manifest.model_dump_json()})
    shutil.rmtree(parts)
    return manifest


def print_subspace(manifest: SubspaceManifest, out: Path) -> None:
    """Print a summary of the file."""
    moved = [module for module in manifest.modules if module.rank]
    ranks = sorted(module.rank for module in moved)
    norm = sum(module.norm**2 for module in moved) ** 0.5
    held = sum(module.energy * module.norm**2 for module in moved) / norm**2
    print(f"{len(manifest.modules)} modules, {len(manifest.modules) - len(moved)} of them unchanged by alignment")
    print(f"rank {ranks[0]} to {ranks[-1]}, {held:.1%} of the displacement's energy, ||D|| = {norm:.4g}")
    print(f"{len(manifest.skipped)} tensors left out: {', '.join(sorted(set(manifest.skipped.values())))}")
    print(f"written to {out} ({out.stat().st_size / 2**20:.1f} MiB, {manifest.seconds:.1f} s)")


def _make_parts(pair: CheckpointPair, parts: Path, plan: SubspacePlan) -> list[SubspaceModule]:
    from holdfast.training.corrections.factored.subspace import find_directions

    entries = [_done(parts / f"{i:05}.safetensors") for i in range(len(pair))]
    with progress_bar(len(pair), sum(entry is not None for entry in entries), "decomposing") as advance:
        for i, name in enumerate(pair):
            if entries[i] is not None:
                continue
            started = time.perf_counter()
            found = find_directions(pair[name], name, rank=plan.rank, energy=plan.energy, seed=plan.seed)
            entry = SubspaceModule(
                name=name,
                shape=(len(found.u), len(found.v)),
                rank=found.rank,
                energy=round(found.energy, 6),
                norm=found.norm,
                seconds=round(time.perf_counter() - started, 3),
            )
            tensors: dict[str, Tensor] = {f"{name}.u": found.u, f"{name}.s": found.values, f"{name}.v": found.v}
            on_cpu = {key: tensor.cpu().contiguous() for key, tensor in tensors.items()}
            write_whole(parts / f"{i:05}.safetensors", on_cpu, {_ENTRY: entry.model_dump_json()})
            entries[i] = entry
            advance(1)
    return [entry for entry in entries if entry]


def _done(part: Path) -> SubspaceModule | None:
    from safetensors import SafetensorError, safe_open

    if not part.is_file():
        return None
    try:
        with safe_open(part, "pt") as tensors:
            return SubspaceModule.model_validate_json(tensors.metadata()[_ENTRY])
    except (SafetensorError, OSError, ValidationError, TypeError, KeyError):
        raise UserError(f"{part} can't be read: delete it, and the same command makes it again") from None


def _plan(**settings: Any) -> SubspacePlan:
    try:
        return SubspacePlan(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][0]}: {first['msg'].lower()}, got {first['input']!r}") from None


def _equal(base: str, aligned: str) -> UserError:
    return UserError(f"'{base}' and '{aligned}' are equal in every linear layer: there is no alignment to find")


def _check_usable(device: str) -> None:
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"--device {device}: {first_line(error)}") from None


def _claim(parts: Path, plan: SubspacePlan) -> None:
    """Claim the folder of parts for this plan; raises UserError if it belongs to another."""
    file = parts / _PLAN
    if file.is_file():
        try:
            before = SubspacePlan.model_validate_json(read_text(file))
        except ValidationError as error:
            raise UserError(f"{file} can't be read ({place_of(error)}): delete {parts}") from None
        _check_same(before, plan, parts)
        return
    if parts.exists():
        check_free(parts)  # it is deleted at the end
    write_text(file, plan.model_dump_json(indent=2) + "\n")


def _check_same(before: SubspacePlan, plan: SubspacePlan, where: Path) -> None:
    for name in SubspacePlan.model_fields:
        was, now = getattr(before, name), getattr(plan, name)
        if was != now and name not in ("base", "aligned"):  # the digests say what they hold
            raise UserError(
                f"{where} holds a different subspace ({name} was {was!r}, is now {now!r}): choose another "
                "--output_path, or delete it"
            )


def _opened(path: Path) -> tuple[SubspaceManifest, Any]:
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        raise UserError(f"subspace '{path}' does not exist: make it with holdfast subspace")
    check_readable(path, "subspace")
    try:
        tensors: Any = safe_open(path, "pt")
        content = (tensors.metadata() or {})[_MANIFEST]
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a readable safetensors file ({error}): make it again") from None
    except KeyError:
        raise UserError(
            f"{path} is not a subspace, since it has no manifest: make one with holdfast subspace"
        ) from None
    try:
        manifest = SubspaceManifest.model_validate_json(content)
    except ValidationError as error:
        raise UserError(f"{path}: the manifest can't be read ({place_of(error)}): make the subspace again") from None
    _check_tensors(path, manifest, tensors)
    return manifest, tensors


def _check_tensors(path: Path, manifest: SubspaceManifest, tensors: Any) -> None:
    """Raise UserError unless the file holds the directions of every module, in numbers that can be computed with."""
    present = set(tensors.keys())
    for module in manifest.modules:
        rows, columns = module.shape
        for part, shape in (("u", [rows, module.rank]), ("s", [module.rank]), ("v", [columns, module.rank])):
            name = f"{module.name}.{part}"
            about = tensors.get_slice(name) if name in present else None
            if not about or about.get_shape() != shape or about.get_dtype() not in _FLOATING:
                found = f"{about.get_dtype()} of shape {about.get_shape()}" if about else "missing"
                raise UserError(
                    f"{path}: '{name}' must be floating-point numbers of shape {shape}, but is {found}: make the "
                    "subspace again"
                )
