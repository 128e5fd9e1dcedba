"""The rows of a leaderboard: one for each adapter, or for each adapter and task, perturbation, severity, group, ..."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.results.agreement.self_consistency import self_consistency
from holdfast.harness.results.answer_frame import KEY
from holdfast.harness.results.classification.class_answers import FLIPPED, class_answers
from holdfast.harness.results.classification.class_table import FLIPS, f1_of
from holdfast.harness.results.comparison import (
    CELL,
    above_floor,
    aggregated,
    asked_again,
    counting,
    drawn,
    for_means,
    higher_is_better,
    mean_over_samples,
    share,
)
from holdfast.harness.results.groups.answer_groups import by_group, labels_of, of_samples
from holdfast.harness.results.groups.group_gaps import gap_of
from holdfast.harness.results.safety.safety_scores import safety_scores
from holdfast.harness.store.manifest import AdapterEntry, Manifest
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.perturbations import parts_of

if TYPE_CHECKING:
    import pandas as pd

LANGUAGES = ("cross_script_match", "language_consistency", "unsure", "fluency")
"""Scores of answers in several languages."""

By = Literal["adapter", "task", "perturbation", "family", "severity", "group"]
"""What a leaderboard has a row for, per adapter."""


def adapter_rows(
    answers: "pd.DataFrame", manifest: Manifest, excluded: Counter[tuple[str, ...]], by: By = "adapter"
) -> "pd.DataFrame":
    """Return one row per adapter (and task, ...), with equal weight for each sample, best first.

    Args:
        answers: One row per answer.
        manifest: The run's.
        excluded: Number of excluded variants by task, perturbation, severity and sample.
        by: Whether adapters have a row for each task, perturbation, family of perturbations, severity or group of
            samples. A group may be one of several tasks; a group of parallel items also has its `gap`.

    Raises:
        UserError: If there are to be rows by group, and no sample has one.
    """
    import pandas as pd

    clean = answers[answers["perturbation"] == CLEAN].set_index(KEY)["score"]
    labels = answers.assign(family=answers["perturbation"].map(_family)) if by == "family" else answers
    rows: list[dict[str, Any]] = []
    for entry in manifest.adapters:
        parts = dict(_parts(labels[labels["adapter"] == entry.name], by, manifest))
        for label, mine in parts.items():
            left_out = of_samples(excluded, mine, every=by != "group")
            count = sum(n for cell, n in left_out.items() if by in ("adapter", "group") or _label(cell, by) == label)
            key: dict[str, str] = {} if by == "adapter" else {by: label}
            rows.append({"adapter": entry.name, **key, **_row(entry, mine, clean, manifest, count)})
            if by == "group":
                rows[-1] |= gap_of(label, parts)
    if by == "group" and not rows:
        raise UserError(
            "no sample of this run has a group: give the samples the field 'group', or map another one to it with "
            "doc_to_group"
        )
    board = pd.DataFrame(rows)
    board["higher_is_better"] = higher_is_better(manifest)
    return best_first(board).round(6)


def _parts(mine: "pd.DataFrame", by: By, manifest: Manifest) -> Iterator[tuple[str, "pd.DataFrame"]]:
    """Yield the answers of an adapter in parts, each with the clean and repeated answers that it is compared with."""
    if by == "adapter":
        yield "", mine
        return
    if by == "group":
        yield from by_group(mine, labels_of(manifest))
        return
    originals = mine["perturbation"].isin([CLEAN, IDENTITY])
    for label, part in mine[~originals].groupby(by, sort=False):
        asked = part.set_index(KEY).index.unique()
        kept = originals & mine.set_index(KEY).index.isin(asked)
        yield str(label), mine[kept | mine.index.isin(part.index)]


def _label(cell: tuple[str, ...], by: By) -> str:
    task, perturbation, severity = cell
    return {"task": task, "perturbation": perturbation, "severity": severity}.get(by) or _family(perturbation)


def _family(name: str) -> str:
    """Return the family of a perturbation, or those of the parts of a composed one."""
    if name in (CLEAN, IDENTITY):
        return name
    return "+".join(dict.fromkeys(part.family for part in parts_of(name)))


def _row(
    entry: AdapterEntry, mine: "pd.DataFrame", clean: "pd.Series[float]", manifest: Manifest, left_out: int
) -> dict[str, Any]:
    """Return the numbers of an adapter's answers, or of a part of them."""
    import pandas as pd

    changed = mine[~mine["perturbation"].isin([CLEAN, IDENTITY])]
    same = changed[~changed["directed"]]
    group = same if len(same) else mine[mine["perturbation"] == CLEAN]
    row: dict[str, Any] = {
        "digest": entry.digest,
        "scale": entry.scale,
        "variants": manifest.variants,
        "tasks": mine["task"].nunique(),
    }
    row |= aggregated(group, clean, manifest, perturbed=bool(len(same)))
    row["above_floor"] = above_floor(for_means(same, manifest), asked_again(mine)) if len(same) else np.nan
    row["excluded"] = share(left_out, len(drawn(changed, manifest)))
    row["changed_rate"] = counting(changed[changed["directed"]])["broke"].mean()
    row["noise_floor"] = mine.loc[mine["perturbation"] == IDENTITY, "max_drift"].mean()
    row |= self_consistency(mine)
    unperturbed, perturbed = mine[mine["perturbation"] == CLEAN], for_means(same, manifest)
    row |= safety_scores(unperturbed, perturbed)
    row |= _languages(pd.concat([unperturbed, perturbed]))
    row |= _classes(class_answers(mine, manifest))
    row["worst_cell"], row["worst_cell_score"] = _worst_cell(same, clean, manifest)
    row["has_effect"] = entry.has_effect
    row["complete"] = manifest.status == "complete"
    row["answer_rate"] = mine["answer_rate"].mean()
    row["mean_length"] = mine["answer_words"].mean()
    return row


def _languages(answers: "pd.DataFrame") -> dict[str, float]:
    """Return the scores of answers in several languages, over clean and perturbed ones, where a task has them."""
    row: dict[str, float] = {}
    for name in LANGUAGES:
        if name in answers and answers[name].notna().any():
            row |= mean_over_samples(name, answers.groupby(KEY)[name].mean().dropna().to_numpy(dtype=np.float64))
    return row


def _classes(labelled: "pd.DataFrame") -> dict[str, float]:
    """Return the F1 of clean and perturbed answers, and the share of changed labels, where tasks have labels."""
    if labelled.empty:
        return {}
    is_clean = labelled["perturbation"] == CLEAN
    row = {f"clean_{name}": value for name, value in f1_of(labelled[is_clean]).items()}
    if is_clean.all():
        return row
    return row | f1_of(labelled[~is_clean]) | {FLIPS: labelled[FLIPPED].mean()}


def best_first(board: "pd.DataFrame") -> "pd.DataFrame":
    """Sort a leaderboard by the score under perturbation, best first."""
    lower = not board["higher_is_better"].all()
    return board.sort_values("perturbed", ascending=lower, kind="stable", ignore_index=True)


def _worst_cell(changed: "pd.DataFrame", clean: "pd.Series[float]", manifest: Manifest) -> tuple[str, float]:
    """Return where the adapter loses most (or else drifts most), as task/perturbation@severity, and its score there."""
    if changed.empty:
        return "", np.nan
    before = clean.reindex(changed.set_index(KEY).index).to_numpy(dtype=np.float64)
    loss = (before - changed["score"]) * (1 if higher_is_better(manifest) else -1)
    cells = changed.assign(loss=loss).groupby(CELL[1:])[["loss", "max_drift", "score"]].mean()
    worst = cells.sort_values(["loss", "max_drift"], ascending=False).head(1)
    if not (worst[["loss", "max_drift"]] > 0).any(axis=None):
        return "none", np.nan
    task, perturbation, severity = cast(tuple[str, str, str], worst.index[0])
    return f"{task}/{perturbation}@{severity}", float(worst["score"].iloc[0])
