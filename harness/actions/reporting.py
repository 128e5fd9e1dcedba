"""`holdfast report`: runs, and the check of two of their adapters, as one page of HTML that needs nothing else."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.actions.checking import BudgetsLike, check, stored_side
from holdfast.harness.execute.scoring import drifted_segments
from holdfast.harness.results.reopening import as_in_run
from holdfast.harness.results.report.answer_table import Place, answer_table
from holdfast.harness.results.report.figures import check_figures_folder, write_figures
from holdfast.harness.results.report.kept_answers import kept_answers
from holdfast.harness.results.report.overview import overview
from holdfast.harness.results.report.patterns import patterns
from holdfast.harness.results.report.rendering import BEGINNING, Report, rendered
from holdfast.harness.results.report.sources import Source, read_sources
from holdfast.harness.store.manifest import FILE, Manifest, not_a_run, read_manifest
from holdfast.metrics.collecting import collection_paused
from holdfast.metrics.comparers.segment_comparer import FACTS
from holdfast.metrics.drift import segment_drift
from holdfast.metrics.encoders.encoder import Encoding, encoding_of
from holdfast.metrics.encoders.model_states import MODEL
from holdfast.suggestions import did_you_mean
from holdfast.version import __version__
from holdfast.writing import check_own_file, write_text

NAME = "report.html"


def write_report(
    runs: Sequence[Path], *, output_path: Path | None = None, figures: Path | None = None, **settings: Any
) -> list[Path]:
    """Write a report.

    Args:
        runs: Directories written by `holdfast run`.
        output_path: The page; by default `report.html` in the first run. A file that is there already is only replaced
            if it is a report.
        figures: A folder for the charts as SVG and PNG.
        settings: See `make_report`.

    Returns:
        The files that were written; raises like `make_report`, or UserError if one can't be.
    """
    if not runs and output_path is None:
        raise UserError("name a run, as in results/run, or say where the report goes with -o FILE")
    target = output_path or runs[0] / NAME
    if output_path is None and not (runs[0] / FILE).is_file():
        raise not_a_run(runs[0])
    check_own_file(target, BEGINNING)
    if figures:
        check_figures_folder(figures)
    report = make_report(runs, **settings)
    write_text(target, rendered(report))
    return [target, *(write_figures(report, figures) if figures else [])]


@collection_paused()
def make_report(
    runs: Sequence[Path],
    *,
    baseline: str | None = None,
    candidate: str | None = None,
    budgets: BudgetsLike = None,
    show_harmful: bool = False,
) -> Report:
    """Read runs, check the candidate against the baseline if they are named, and return what a page shows.

    Args:
        runs: Directories written by `holdfast run`, finished or not.
        baseline: The adapter in use: its name in the runs, or RUN:ADAPTER.
        candidate: The adapter that may replace it.
        budgets: What the candidate may lose, as for `check`.
        show_harmful: Whether texts of safety tasks are shown.

    Raises:
        UserError: If a directory has no run or the run no answers, a side is not in the runs, or the two sides can't be
            compared.
    """
    if (baseline is None) != (candidate is None):
        missing = "--baseline" if baseline is None else "--candidate"
        raise UserError(f"{missing} is missing: a check needs the adapter in use and the one that may replace it")
    if budgets is not None and baseline is None:
        raise UserError("--budgets says what a candidate may lose: name a --baseline and a --candidate")
    folders = _distinct(runs)
    sides = [_place(side, folders) for side in (baseline, candidate) if side is not None]
    folders = _distinct([*folders, *(folder for folder, _ in sides)])
    if not folders:
        raise UserError("name at least one run, as in results/run")
    sources = read_sources(folders)
    base, new = (_in_sources(side, sources) for side in sides) if sides else (None, None)
    result = check(*(f"{folder}:{name}" for folder, name in sides), budgets=budgets) if sides else None
    hidden = set() if show_harmful else {each for run in sources for each in run.manifest.tasks if run.is_safety(each)}
    table = answer_table(sources, base)
    return Report(
        title="Holdfast: " + (f"{base.label} → {new.label}" if base and new else ", ".join(map(str, folders[:3]))),
        overview=overview(sources, table, result, hidden),
        patterns=patterns(sources),
        answers=kept_answers(sources, table, base, aligned_segments, hidden=hidden),
        baseline=base.label if base else "",
        candidate=new.label if new else "",
        hidden=tuple(sorted(hidden)),
        version=__version__,
    )


def aligned_segments(manifest: Manifest, pairs: Sequence[tuple[str, str]]) -> Sequence[Sequence[Mapping[str, Any]]]:
    """Return the drifted segments of pairs of answers as the run compared them.

    Nothing is returned if that would take the evaluated model, another model as the judge, or an encoder or a pipeline
    that is not here.
    """
    config = manifest.config
    if config.comparer != FACTS or MODEL in config.encoder:
        return ()
    clean, perturbed = zip(*pairs, strict=True)
    try:
        with as_in_run(manifest):
            drifts = segment_drift(
                clean,
                perturbed,
                encoding=_encoding(config.encoder, manifest.directory),
                granularity=config.granularity,
                pipeline=config.spacy_pipeline,
            )
    except UserError:
        return ()
    return [drifted_segments(drift) for drift in drifts]


@cache
def _encoding(spec: str, directory: str) -> Encoding:
    """Return the encoders of a run; `directory` is where its relative paths start, and the process is there."""
    del directory
    return encoding_of(spec)


def _distinct(folders: Sequence[Path]) -> list[Path]:
    """Return the folders without those that are another one by a different name."""
    found: dict[Path, Path] = {}
    for folder in folders:
        found.setdefault(folder.resolve(), folder)
    return list(found.values())


def _place(side: str, folders: Sequence[Path]) -> tuple[Path, str]:
    """Return the run and the adapter that a side names: an adapter of one of these runs, or RUN:ADAPTER."""
    names = {folder: _adapters(folder) for folder in folders}
    having = [folder for folder, adapters in names.items() if side in adapters]
    if len(having) > 1:
        raise UserError(f"several of these runs have an adapter '{side}': name one, as in {having[0]}:{side}")
    if having:
        return having[0], side
    folder, adapter = stored_side(side) or (None, None)
    if folder is None or not (folder / FILE).is_file():
        known = [name for adapters in names.values() for name in adapters]
        raise UserError(f"'{side}' is no adapter of these runs, and no RUN:ADAPTER{did_you_mean(side, known)}")
    adapters = _adapters(folder)
    if adapter is None and len(adapters) > 1:
        raise UserError(f"{folder} has {len(adapters)} adapters: name one, as in {folder}:{adapters[0]}")
    if adapter is not None and adapter not in adapters:
        raise UserError(f"{folder} has no adapter '{adapter}'{did_you_mean(adapter, adapters)}")
    return folder, adapter or adapters[0]


def _adapters(folder: Path) -> list[str]:
    manifest = read_manifest(folder)
    return [entry.name for entry in manifest.adapters] if manifest else []


def _in_sources(side: tuple[Path, str], sources: Sequence[Source]) -> Place:
    folder, adapter = side
    source = next(each for each in sources if each.folder.resolve() == folder.resolve())
    return Place(source, adapter)
