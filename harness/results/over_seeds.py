"""Rows of a leaderboard that differ only in their seed become one: mean, spread, and tests against a baseline."""

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.models.checkpoints import BASE
from holdfast.harness.results.columns import SEEDED, described
from holdfast.harness.results.statistics import LEVEL, Values
from holdfast.harness.store.manifest import MITIGATED, AdapterEntry, Manifest
from holdfast.paths import expanded
from holdfast.suggestions import did_you_mean
from holdfast.training.correction_card import CorrectionCard, read_correction
from holdfast.training.recipe import NONE
from holdfast.training.training_card import TrainingCard, read_card

if TYPE_CHECKING:
    import pandas as pd

ORIGIN = ("_twins", "_trained", "_run_seed", "_home", "method", "trained_on", "_made")
"""Columns that say where a row comes from; those that begin with _ are dropped before users see the table."""

_ANY_SEED = {"seed", "output_path", "adapters", "pack"}
"""Settings of a run in which runs may differ that differ only in their seed."""

_PATHS = ("data", "eval_data", "output_path")
"""Settings of a recipe that say where files are, not what is in them."""

_ROUNDING = 1e-6
"""Numbers of a leaderboard are rounded to this: what differs by less doesn't differ."""

_SEED_AT_END = re.compile(r"[-_.]*(seed)?[-_.]*\d*$")


def with_origin(board: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """Add the columns `ORIGIN` to a run's leaderboard: which rows are twins but for the seed, and their seeds.

    Adapters, and fully trained models, are twins if their training cards agree in everything but the seed; without
    cards, if names and weights are the same.
    """
    found = _origins(manifest)
    made = board.copy()
    for i, name in enumerate(ORIGIN):
        made[name] = [found[adapter][i] for adapter in board["adapter"]]
    return made


def names_over_seeds(manifest: Manifest) -> list[str]:
    """Return what the rows of several runs are called that differ from this one only in their seed."""
    twins: dict[str, list[str]] = {}
    homes: dict[str, str] = {}
    for name, (twin, _, _, home, *_) in _origins(manifest).items():
        twins.setdefault(twin, []).append(name)
        homes.setdefault(twin, home)
    return [_common_name(names, homes[twin]) for twin, names in twins.items()]


def _origins(manifest: Manifest) -> dict[str, tuple[str, int | None, int, str, str, str, str]]:
    """Return the values of the columns `ORIGIN`, by adapter."""
    whole = _card_of_base(manifest)
    settings = manifest.config.model_dump(mode="json", exclude=_ANY_SEED)
    base_digest = manifest.base_digest
    if whole:
        settings["model_args"].pop("pretrained")
        base_digest = whole.base_digest
    found: dict[str, tuple[str, int | None, int, str, str, str, str]] = {}
    for entry in manifest.adapters:
        card, correction = _cards(entry) if entry.path else (whole, None)
        recipe = {k: v for k, v in card.recipe.items() if k not in ("seed", "output_path")} if card else {}
        content = [recipe, card.data_digest, card.base_digest] if card else [entry.name, entry.digest]
        content += [correction.method, correction.settings, correction.subspace_digest] if correction else []
        twins = json.dumps([settings, base_digest, entry.scale, entry.mitigation, content], sort_keys=True)
        trained, home = (card.recipe.get("seed") if card else None), Path(entry.path or "").absolute().parent.name
        method, data = _method(entry, card, correction), _data(card) if card else ""
        found[entry.name] = twins, trained, manifest.config.seed, home, method, data, _made(entry, card, correction)
    return found


def over_seeds(
    board: "pd.DataFrame", part: Sequence[str], baseline: str | None = None, *, by_method: bool = False
) -> "pd.DataFrame":
    """Merge the rows that differ only in their seed, and compare them with a baseline.

    A row's numbers become means over the seeds; `NAME_sd` is the standard deviation and the interval is Student's, both
    over seeds. With a baseline, `NAME_vs_baseline` is the difference, and paired and Welch's t-tests follow, with
    Cohen's d: of the differences (d_z) and with the pooled standard deviation. Pairs have the same seed; a baseline
    with one value, such as the base model of a run, is paired with every seed. Repetitions with the same seed stay
    rows of their own.

    Args:
        board: A leaderboard with the columns `ORIGIN`.
        part: The column by which adapters are divided in parts, if there is one.
        baseline: Name of an adapter, as the merged table has it.
        by_method: Whether to merge adapters trained by the same method too.

    Raises:
        UserError: If the baseline is not in the table.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    units: list[pd.DataFrame] = []
    for _, twins in board.groupby(["method", *part] if by_method else ["_twins", *part], sort=False, dropna=False):
        unit = _unit(twins, by_method=by_method)
        spread = [str(name) for name in board if name in SEEDED or f"{name}_low" in board]
        means = twins.groupby(unit.rename("unit"))[spread].mean()
        values = means[[name for name in SEEDED if name in board]]
        if by_method:
            _warn_of_mixtures(twins)
        if len(twins) > 1 and (len(values) > 1 or by_method):
            rows.append({**_merged(twins, means, by_method=by_method), "seeds": len(values)})
            units.append(values)
        else:
            rows += [{**{str(k): v for k, v in row.items()}, "seeds": 1} for row in twins.to_dict("records")]
            units += [values] * len(twins)
    merged = pd.DataFrame(rows)
    if not by_method:
        merged = merged.drop(columns="method")
    if baseline is not None:
        _compare(merged, units, part, baseline, "method" if by_method else "adapter")
    return merged.drop(columns=[name for name in ORIGIN if name.startswith("_")])


def _card_of_base(manifest: Manifest) -> TrainingCard | None:
    """Return how the base was trained, if it is a model that was trained in full here and its files still tell."""
    named = expanded(str(manifest.config.model_args.get("pretrained", "")))
    card = read_card(Path(manifest.directory) / named)
    return card if card and card.recipe.get("full") else None


def _cards(entry: AdapterEntry) -> tuple[TrainingCard | None, CorrectionCard | None]:
    """Return how an adapter was trained, if its files still tell, and how it was corrected afterwards, if it was."""
    if entry.path is None:
        return None, None
    correction = read_correction(Path(entry.path))
    return read_card(Path(correction.adapter if correction else entry.path)), correction


def _data(card: TrainingCard) -> str:
    """Return the name of the training data, with a part of its digest, since other data may have the same name."""
    return f"{Path(str(card.recipe.get('data'))).name} ({card.data_digest[:8]})"


def _method(entry: AdapterEntry, card: TrainingCard | None, correction: CorrectionCard | None) -> str:
    """Return the objective, the noise and the correction; of an adapter without any card, its name."""
    name, mitigation = entry.name, ""
    if entry.mitigation:
        name, plus, rest = entry.name.rpartition(MITIGATED)
        mitigation = plus + rest
    if card is None and correction is None:
        return (BASE if entry.path is None else f"unknown ({name})") + mitigation
    parts = [str(card.recipe.get(part, NONE)) for part in ("objective", "noise")] if card else []
    if card and card.recipe.get("full"):
        parts.insert(0, "full")
    trained = "+".join(part for part in parts if part != NONE) or "lora"
    return (f"{trained}+{correction.method}" if correction else trained) + mitigation


def _made(entry: AdapterEntry, card: TrainingCard | None, correction: CorrectionCard | None) -> str:
    """Return, as JSON, the settings that a method's adapters should share, by their names."""
    recipe = card.recipe if card else {}
    made = {name: value for name, value in recipe.items() if name not in (*_PATHS, "seed", "arguments")}
    made |= recipe.get("arguments") or {}
    made |= correction.settings if correction else {}
    return json.dumps({**made, "data": card and card.data_digest, "adapter scale": entry.scale}, sort_keys=True)


def _warn_of_mixtures(twins: "pd.DataFrame") -> None:
    """Warn if the rows of a method differ in more than their seed."""
    made = [json.loads(each) for each in dict.fromkeys(twins["_made"])]
    names = dict.fromkeys(name for each in made for name in each)
    differing = [name for name in names if len({json.dumps(each.get(name), sort_keys=True) for each in made}) > 1]
    if differing:
        warnings.warn(
            f"method '{twins['method'].iloc[0]}' is a mean over adapters that differ in {', '.join(differing)} "
            f"({', '.join(dict.fromkeys(twins['adapter']))}), so that its spread and tests are not those of seeds: "
            "compare them with --by adapter",
            stacklevel=4,
        )


def _unit(twins: "pd.DataFrame", *, by_method: bool) -> "pd.Series[Any]":
    """Return what the rows are repetitions over: trainings if there are several, else runs."""
    if by_method:
        return twins["digest"]
    trained = twins["_trained"]
    return trained if trained.nunique() > 1 else twins["_run_seed"]


def _merged(twins: "pd.DataFrame", means: "pd.DataFrame", *, by_method: bool) -> dict[str, Any]:
    """Return the row of several: `means` has a row per seed, and a column per number that has an interval."""
    row: dict[str, Any] = {}
    for name, column in twins.items():
        name = str(name)
        if column.map(lambda value: isinstance(value, str)).any():
            row[name] = ", ".join(dict.fromkeys(map(str, column)))
        elif column.map(lambda value: isinstance(value, (bool, np.bool_))).any():
            row[name] = bool(column.dropna().all())
        else:
            row[name] = column.astype(float).mean()
    row["adapter"] = row["adapter"] if by_method else _common_name(list(twins["adapter"]), twins["_home"].iloc[0])
    row["n"] = int(twins["n"].min())
    for name in map(str, means):
        row[f"{name}_low"], row[f"{name}_high"] = np.nan, np.nan
        if len(means) > 1:
            if name in SEEDED:
                row[f"{name}_sd"] = float(means[name].std())
            ends = _interval(means[name].to_numpy(dtype=np.float64))
            row[f"{name}_low"], row[f"{name}_high"] = np.clip(ends, 0, 1) if described(name).kind == "share" else ends
    return row


def _common_name(names: list[str], home: str) -> str:
    """Return what the names of adapters that differ in their seed have in common, or else the folder they lie in.

    >>> _common_name(["tuned-seed1", "tuned-seed2"], "x"), _common_name(["seed-42", "seed-43"], "x")
    ('tuned', 'x')
    """
    first, last = min(names), max(names)
    common = first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]
    return common if first == last else _SEED_AT_END.sub("", common) or home or ", ".join(names)


def _interval(values: Values) -> tuple[float, float]:
    """Return Student's interval of a mean; none without spread."""
    from scipy.stats import sem, t

    if not np.ptp(values) > _ROUNDING:
        return np.nan, np.nan
    low, high = t.interval(LEVEL, len(values) - 1, values.mean(), sem(values))
    return float(low), float(high)


def _compare(
    merged: "pd.DataFrame", units: Sequence["pd.DataFrame"], part: Sequence[str], baseline: str, owner: str
) -> None:
    """Add the comparisons with the baseline, in place."""
    rows = merged.to_dict("records")
    if baseline not in (owners := {row[owner] for row in rows}):
        raise UserError(f"--baseline: no {owner} '{baseline}' in this table{did_you_mean(baseline, owners)}")
    place = {tuple(row[name] for name in part): i for i, row in enumerate(rows) if row[owner] == baseline}
    for i, row in enumerate(rows):
        at = place.get(tuple(row[name] for name in part))
        if row[owner] != baseline and at is not None:
            for name in map(str, units[i]):
                for end, value in _tests(units[i][name], units[at][name]).items():
                    merged.loc[i, f"{name}_{end}"] = value


def _tests(new: "pd.Series[float]", old: "pd.Series[float]") -> Mapping[str, float]:
    """Return the difference of the means, and the tests of it that the numbers of seeds allow."""
    from scipy.stats import ttest_ind, ttest_rel

    found = {"vs_baseline": float(new.mean() - old.mean())}
    pairs = new.index if len(old) == 1 else new.index.intersection(old.index)
    before = np.full(len(pairs), float(old.iloc[0])) if len(old) == 1 else old.loc[pairs].to_numpy(dtype=np.float64)
    change = new.loc[pairs].to_numpy(dtype=np.float64) - before
    if len(change) > 1 and np.ptp(change) > _ROUNDING:
        found["paired_p"] = float(ttest_rel(new.loc[pairs], before).pvalue)
        found["paired_d"] = float(change.mean() / change.std(ddof=1))
    if len(new) > 1 and len(old) > 1 and max(np.ptp(new), np.ptp(old)) > _ROUNDING:
        with warnings.catch_warnings():  # one side may well have no spread at all
            warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
            found["welch_p"] = float(ttest_ind(new, old, equal_var=False).pvalue)
        found["welch_d"] = found["vs_baseline"] / float(np.sqrt((new.var() + old.var()) / 2))
    return found
