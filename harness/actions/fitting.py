"""`holdfast calibrate --fit`: fit the table of costs on labelled pairs, and measure it on families left out."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import rankdata

from holdfast.errors import UserError
from holdfast.metrics.comparers.facts import Facts
from holdfast.metrics.costs import CONFLICTS, COVERAGE, Costs, CostTable
from holdfast.metrics.drift import segment_drift
from holdfast.metrics.encoders.encoder import Encoding, encoding_of
from holdfast.metrics.facts import Finding
from holdfast.metrics.labelled_pairs import read_any_pairs
from holdfast.writing import check_own_file, write_text

KINDS = (*sorted(COVERAGE), *sorted(CONFLICTS))

ROUNDS = 4
"""How often the worst segments are chosen under the costs so far, and the costs fitted on these."""

RIDGE = 0.001
"""The penalty of the squared distance of a weight from its prior."""

_EASE = 0.2
"""The share of that penalty that applies to coverage, which has no prior but zero."""

_START = 3.0
"""The weights and the middle before the first round."""

_SELDOM = frozenset({"word", "moved", "spelling"})
"""Kinds that often leave the meaning as it is, like those "alone" and "apart": their prior is a third of others'."""

_BEGINNING = rb'\{\s*"pairs"'
"""How a table of costs begins; another file is not replaced."""

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Family:
    """Labelled pairs of one origin, from one or more files."""

    name: str
    files: tuple[Path, ...]
    pairs: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """Costs, and the AUROC on each family of costs that were fitted on all others."""

    costs: Costs
    held_out: dict[str, float]


def read_families(named: Sequence[str]) -> list[Family]:
    """Read families given as NAME=FILE,FILE.

    Raises:
        UserError: If one has another form, can't be read, or lacks changed or unchanged pairs.
    """
    families: list[Family] = []
    for each in named:
        name, equals, files = each.partition("=")
        if not (name and equals and files):
            raise UserError(
                f"--fit: '{each}' must have the form NAME=FILE,FILE: pairs of one origin, as in own=a.jsonl"
            )
        paths = tuple(Path(file) for file in files.split(","))
        pairs = tuple(pair for path in paths for pair in read_any_pairs(path))
        if name in {family.name for family in families} or len({path.name for path in paths}) < len(paths):
            raise UserError(f"--fit: '{each}' repeats a name: each family needs its own, and so does each of its files")
        if {changed for *_, changed in pairs} != {True, False}:
            raise UserError(f"--fit: the family '{name}' must include both changed and unchanged pairs")
        families.append(Family(name, paths, pairs))
    return families


def fit_costs(families: Sequence[Family], encoding: Encoding) -> Fit:
    """Fit the weight of each kind of difference by logistic regression on the worst segment of each pair.

    Which segment is the worst depends on the weights, so the two are found in turns, as in multiple-instance learning
    (Andrews et al. 2003, mi-SVM). Weights are at least 0, so more differences never cost less. Each conflict is drawn
    towards a common weight, which kinds that the pairs hardly show then have. Families weigh the same, and so do
    changed and unchanged pairs within one; each has its own offset, so that only the order within families matters.

    Args:
        families: The labelled pairs.
        encoding: The encoders whose costs are fitted.
    """
    costs = Costs(dict.fromkeys(KINDS, _START), _START)
    for _ in range(ROUNDS):
        strengths = [strengths_of(family, encoding, costs) for family in families]
        costs = fitted(families, strengths)
    held_out = {}
    for i, family in enumerate(families):
        others = [j for j in range(len(families)) if j != i]
        if others:
            left = fitted([families[j] for j in others], [strengths[j] for j in others])
            held_out[family.name] = auroc(strengths[i] @ _row(left), _changed(family))
    return Fit(costs, held_out)


def write_costs(named: Sequence[str], encoder: str, out: Path) -> None:
    """Fit costs with the vectors of an encoder and without, write both to a file, and print how they do.

    Args:
        named: The families, as `read_families` takes them.
        encoder: The encoder with vectors of words.
        out: The file to write.
    """
    check_own_file(out, _BEGINNING)
    families = read_families(named)
    table: dict[str, Any] = {
        "pairs": {
            family.name: {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in family.files}
            for family in families
        }
    }
    for part, name in (("vectors", encoder), ("rules", "lexical")):
        found = fit_costs(families, encoding_of(name))
        table[part] = {
            "encoder": name,
            "middle": round(found.costs.middle, 3),
            "weights": {kind: round(weight, 3) for kind, weight in found.costs.weights.items()},
            "held_out": {family: round(value, 3) for family, value in found.held_out.items()},
        }
        held_out = ", ".join(f"{family} {value:.3f}" for family, value in found.held_out.items())
        print(f"encoder {name}: AUROC on families left out of the fit: {held_out or 'only one family'}")
    write_text(out, json.dumps(table, indent=2) + "\n")


def strengths_of(family: Family, encoding: Encoding, costs: Costs) -> Array:
    """Return the strength of each kind in the worst segment of each pair (pairs, kinds)."""
    clean, perturbed = [pair[0] for pair in family.pairs], [pair[1] for pair in family.pairs]
    drifts = segment_drift(clean, perturbed, encoding=encoding, comparer=Facts(CostTable(costs, costs)))
    return np.array([_row_of(drift.worst.findings if drift.worst else ()) for drift in drifts])


def _row_of(found: Sequence[Finding]) -> list[float]:
    strengths = dict.fromkeys(KINDS, 0.0)
    for each in found:
        strengths[each.kind] = max(strengths[each.kind], each.strength)
    return list(strengths.values())


def fitted(families: Sequence[Family], strengths: Sequence[Array]) -> Costs:
    """Solve the regression; the parameters are the weights, the common weight, the middle and the offsets."""
    x = np.concatenate(strengths)
    changed = [_changed(family) for family in families]
    y = np.concatenate(changed) * 2.0 - 1.0
    of = np.repeat(np.arange(len(families)), [len(each) for each in changed])
    share = np.concatenate([np.where(each, 0.5 / each.sum(), 0.5 / (~each).sum()) for each in changed])
    kinds, count = len(KINDS), len(families)
    priors = np.array([_prior(kind) for kind in KINDS])
    ridge = np.array([RIDGE * _EASE if kind in COVERAGE else RIDGE for kind in KINDS])

    def loss(p: Array) -> tuple[float, Array]:
        weights, common, middle, offsets = p[:kinds], p[kinds], p[kinds + 1], p[kinds + 2 :]
        margin = y * (x @ weights - middle + offsets[of])
        slope = -y * share / (1.0 + np.exp(margin))
        apart = weights - priors * common
        value = (share * np.logaddexp(0.0, -margin)).sum() + (ridge * apart**2).sum() + RIDGE * (offsets**2).sum()
        gradient = np.concatenate(
            [
                x.T @ slope + 2 * ridge * apart,
                [-2 * (ridge * priors * apart).sum(), -slope.sum()],
                np.bincount(of, slope, count) + 2 * RIDGE * offsets,
            ]
        )
        return float(value), gradient

    start = np.concatenate([np.full(kinds + 2, _START), np.zeros(count)])
    bounds = [(0.0, None)] * (kinds + 1) + [(None, None)] * (1 + count)
    p = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 2_000}).x
    return Costs(dict(zip(KINDS, p[:kinds].tolist(), strict=True)), float(p[kinds + 1]))


def _prior(kind: str) -> float:
    """Return the share of the common weight that is a kind's prior; 0 for coverage, which every pair shows."""
    if kind in COVERAGE:
        return 0.0
    return 1 / 3 if kind in _SELDOM or kind.endswith((" alone", " apart")) else 1.0


def _changed(family: Family) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array([changed for *_, changed in family.pairs])


def _row(costs: Costs) -> Array:
    return np.array([costs.weights[kind] for kind in KINDS])


def auroc(scores: Array, changed: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """Return the probability that a changed pair scores higher than an unchanged one (Hanley and McNeil 1982)."""
    more = int(changed.sum())
    ranks = rankdata(scores)[changed].sum() - more * (more + 1) / 2
    return float(ranks / (more * (len(changed) - more)))
