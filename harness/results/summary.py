"""Summarise a run's answers in tables: the breakdown (a row per cell) and the leaderboard (a row per adapter)."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.errors import UserError
from holdfast.harness.plan.validity import EXCLUDED, count_excluded
from holdfast.harness.results.adapter_rows import By, adapter_rows
from holdfast.harness.results.agreement.self_consistency import WORDED, word_codes
from holdfast.harness.results.answer_frame import answer_frame
from holdfast.harness.results.breakdown import breakdown_of
from holdfast.harness.results.classification.class_answers import class_answers
from holdfast.harness.results.classification.class_table import class_table
from holdfast.harness.results.classification.confusion_table import confusion_table
from holdfast.harness.results.classification.error_table import error_table
from holdfast.harness.results.failures.before_after import before_after
from holdfast.harness.results.failures.failure_table import failure_table
from holdfast.harness.results.groups.answer_groups import labels_of
from holdfast.harness.results.long_table import long_table
from holdfast.harness.results.shapes.shape_table import shape_table
from holdfast.harness.results.spreadsheet import csv_text
from holdfast.harness.store.manifest import Manifest
from holdfast.harness.store.stored_run import EDITED, open_run
from holdfast.writing import write_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a run.

    Attributes:
        breakdown: A row for each adapter, task, group, perturbation and severity.
        leaderboard: A row for each adapter.
        groups: A row for each adapter and group; None if no sample has a group.
        failures: A row for each adapter, task, perturbation and kind of failure; None if none is known.
        mitigations: A row for each adapter, mitigation and task; None if there was no mitigation.
        classes: A row for each adapter, task, perturbation and severity; None if no task has labels.
        confusion: A row for each adapter, task, right and predicted label, clean and perturbed; None without labels.
        shapes: A row for each adapter, task and perturbation of the prompt's shape; None if there was none.
        errors: A row for each adapter, task and category of answers with errors, worst first; None without labels.
    """

    breakdown: "pd.DataFrame"
    leaderboard: "pd.DataFrame"
    groups: "pd.DataFrame | None"
    failures: "pd.DataFrame | None"
    mitigations: "pd.DataFrame | None"
    classes: "pd.DataFrame | None"
    confusion: "pd.DataFrame | None"
    errors: "pd.DataFrame | None"
    shapes: "pd.DataFrame | None"


def summarise(folder: Path) -> Tables:
    """Write the tables of the run in `folder`: breakdown.csv, cells.csv (the same in long form) and leaderboard.csv.

    Where there is anything to say, also failures.csv, mitigations.csv, classes.csv, confusion.csv,
    errors.csv and shapes.csv.

    Returns:
        The tables; raises like `tables_of`.
    """
    tables = tables_of(folder)
    written = {"breakdown": tables.breakdown, "cells": long_table(tables.breakdown), "leaderboard": tables.leaderboard}
    others = {
        name: getattr(tables, name) for name in ("failures", "mitigations", "classes", "confusion", "errors", "shapes")
    }
    for name, table in (written | {name: table for name, table in others.items() if table is not None}).items():
        write_text(folder / f"{name}.csv", csv_text(table))
    return tables


def tables_of(folder: Path) -> Tables:
    """Return the tables of a run, which may be interrupted.

    Raises:
        UserError: If `folder` has no run, or the run has no answers yet.
    """
    found = read_answers(folder)
    labelled = class_answers(found.answers, found.manifest)
    return Tables(
        found.breakdown(),
        found.leaderboard(),
        found.leaderboard("group") if labels_of(found.manifest) else None,
        failure_table(found.answers),
        before_after(found.answers, found.manifest),
        class_table(labelled),
        confusion_table(labelled),
        error_table(labelled),
        shape_table(found.answers),
    )


def leaderboard_of(folder: Path, by: By = "adapter") -> "pd.DataFrame":
    """Return the leaderboard of a run, with a row per adapter and task, perturbation, ...; raises like `tables_of`."""
    try:
        return read_answers(folder).leaderboard(by)
    except UserError as error:
        raise UserError(f"{folder}: {error}") from None


@dataclass(frozen=True, slots=True)
class RunAnswers:
    """A run's answers, and how many variants of each cell and sample were excluded."""

    manifest: Manifest
    answers: "pd.DataFrame"
    """A row per answer (`answer_frame`)."""
    excluded: Counter[tuple[str, ...]]

    def breakdown(self) -> "pd.DataFrame":
        """Return a row per cell."""
        return breakdown_of(self.answers.drop(columns="key"), self.manifest, self.excluded)

    def leaderboard(self, by: By = "adapter") -> "pd.DataFrame":
        """Return a row per adapter (and task, perturbation, ...)."""
        return adapter_rows(self.answers.drop(columns="key"), self.manifest, self.excluded, by)


def read_answers(folder: Path) -> RunAnswers:
    """Read the answers of a run, which may be interrupted; raises like `tables_of`."""
    run = open_run(folder)
    answers = answer_frame(run, more={WORDED: word_codes()})
    excluded = count_excluded(folder)
    if unknown := {task for task, *_ in excluded} - run.manifest.tasks.keys():
        raise UserError(f"{folder / EXCLUDED}: task '{min(unknown)}' is not in run.json: {EDITED}")
    return RunAnswers(run.manifest, answers, excluded)
