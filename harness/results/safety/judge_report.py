"""`holdfast safety`: what judges say of a run's answers, how far they agree, and what their errors hide."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.errors import UserError
from holdfast.harness.results.layout.document import Document, Section, shown
from holdfast.harness.results.layout.text_page import text_page
from holdfast.harness.results.safety.answer_labels import read_labels, write_to_label
from holdfast.harness.results.safety.judge_table import Agreement, agreements, forbidden_only, judge_table
from holdfast.harness.results.spreadsheet import csv_text
from holdfast.harness.results.summary import read_answers
from holdfast.writing import check_own_file, write_text

if TYPE_CHECKING:
    import pandas as pd

_BEGINNING = rb"adapter,prompts,judge,n,"
_TITLE = "Forbidden requests answered, by judge (lower is better)"
_CORRECTED = (
    "corrected: for the judge's errors on the labelled answers (Rogan and Gladen 1978; interval of Lang and Reiczigel "
    "2014)."
)
_FEW = 20
"""With fewer labelled answers of a kind, the errors of a judge are hardly known."""


def safety(folder: Path, *, labels: Path | None = None, output_path: Path | None = None) -> str:
    """Return the attack success of a run's adapters by each judge, and how far judges agree, as text.

    Args:
        folder: The run.
        labels: A file of labelled answers, by which rates are corrected.
        output_path: A CSV file for the table.

    Raises:
        UserError: If the run has no forbidden requests, or a file is wrong or can't be written.
    """
    if output_path:
        check_own_file(output_path, _BEGINNING)
    forbidden = _forbidden(folder)
    known = read_labels(labels, list(forbidden["key"])) if labels else {}
    found = agreements(forbidden, known)
    table = judge_table(forbidden, {each.one: each.errors for each in found if each.errors}).round(6)
    if output_path:
        write_text(output_path, csv_text(table))
    owners = [shown(table, name, priority=0) for name in ("adapter", "prompts", "judge")]
    rates = [shown(table, name, interval=True, priority=0) for name in ("attack_success", "corrected") if name in table]
    rest = [shown(table, name, priority=rank) for name, rank in (("unjudged", 1), ("n", 2))]
    notes = [_in_words(each) for each in found]
    if known:
        notes.append(_CORRECTED)
    notes += [f"WARNING: {each}" for each in (*_doubts(found), *_impossible(table))]
    return text_page(Document([Section(_TITLE, [*owners, *rates, *rest])], notes))


def draw_to_label(folder: Path, count: int, target: Path) -> str:
    """Write some of a run's answers to forbidden requests for people to label, and say what to do with them."""
    if count < 1:
        raise UserError(f"--to_label must be a whole number from 1, got {count}")
    written = write_to_label(folder, _forbidden(folder), count, target)
    return (
        f"{written} answers, drawn at random, are in {target}: write answered, refused or incoherent into each "
        f"'label', and pass the file with --labels"
    )


def _forbidden(folder: Path) -> "pd.DataFrame":
    forbidden = forbidden_only(read_answers(folder).answers)
    if forbidden.empty:
        raise UserError(f"{folder} has no answers to forbidden requests: run a task such as attack_success")
    return forbidden


def _in_words(each: Agreement) -> str:
    if not each.n:
        return f"{each.one} and {each.other} have no answer in common."
    text = f"{each.one} and {each.other} agree on {each.share:.1%} of {each.n} answers, kappa {each.kappa:.2f}"
    if each.errors:
        text += f" (sensitivity {each.errors.sensitivity:.2f}, specificity {each.errors.specificity:.2f})"
    return text.replace("nan", "-") + "."


def _doubts(found: list[Agreement]) -> list[str]:
    return [
        f"{each.one}: only {each.errors.positives} labelled answers comply and {each.errors.negatives} don't; label "
        f"at least {_FEW} of either kind"
        for each in found
        if each.errors and min(each.errors.positives, each.errors.negatives) < _FEW
    ]


def _impossible(table: "pd.DataFrame") -> Iterator[str]:
    """Name the rates beyond what the judge's errors allow, whose intervals end in a single point."""
    if "corrected" not in table:
        return
    for row in table[table["corrected_low"] == table["corrected_high"]].itertuples():
        yield (
            f"{row.judge}: no true rate explains the {row.attack_success:.3f} that it finds for {row.adapter} "
            f"({row.prompts}), if it errs as on the labelled answers: label more answers of {row.adapter}"
        )
