"""Trains the arms of an experiment with several seeds, and tabulates their means with paired tests."""

import json
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rounds import digest

from holdfast.harness.actions.training import make_recipe_of, train_adapter
from holdfast.training.pocket.vocabulary import Example

CARD = "training_card.json"
ALPHA, _POWER = 0.05, 0.8
COMMON = {
    "model": "pretrained=pocket-base",
    "per_device_train_batch_size": 8,
    "learning_rate": 1e-3,
    "save_strategy": "no",
}


def trained(
    arms: Mapping[str, Mapping[str, Any]],
    seeds: Iterable[int],
    examples: Callable[[int], Sequence[Example]],
    steps: int,
    folder: Path,
) -> dict[str, Path]:
    """Train every arm with every seed, from pocket-base on that seed's examples; map `arm.seed` to its directory.

    A finished adapter of the same settings and examples is kept, and an interrupted one is resumed.
    """
    found = {}
    for seed in seeds:
        drawn = examples(seed)
        for arm, settings in arms.items():
            place = folder / digest([settings, steps, [(each.prompt, each.answer) for each in drawn]])
            place.mkdir(parents=True, exist_ok=True)
            data = written(place / f"train-{seed}.jsonl", drawn)
            out = found[f"{arm}.{seed}"] = place / f"{arm}.{seed}"
            if not (out / CARD).exists():
                flags = {**COMMON, "max_steps": steps, **settings}
                flags |= {"data": str(data), "output_dir": str(out), "seed": seed}
                train_adapter(make_recipe_of({}, {"disable_tqdm": True, **flags}, []))
                print(f"trained {out.name}", file=sys.stderr)
    return found


def written(path: Path, examples: Sequence[Example]) -> Path:
    """Write examples to a data file for `holdfast train`."""
    rows = [json.dumps({"prompt": each.prompt, "completion": each.answer}) for each in examples]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def card(adapter: Path) -> dict[str, Any]:
    """Read the training card of an adapter."""
    found: dict[str, Any] = json.loads((adapter / CARD).read_text("utf-8"))
    return found


def table(rows: pd.DataFrame, reference: str) -> str:
    """Format the mean and standard deviation over seeds of every arm and measure.

    A star marks a significant difference from `reference` (p < 0.05 in a paired t-test over seeds, with Holm's
    correction over all comparisons of the table). `rows` has columns arm, seed and the measures.
    """
    measures = [name for name in rows if name not in ("arm", "seed")]
    stars = _different(rows, reference, measures)
    width = max(map(len, rows["arm"])) + 2
    lines = ["".join([f"{'arm':<{width}}", *(f"{name:>20}" for name in measures)])]
    for arm, group in rows.groupby("arm", sort=False):
        cells = [_cell(group[name], "*" if (arm, name) in stars else " ") for name in measures]
        lines.append("".join([f"{arm:<{width}}", *(f"{cell:>20}" for cell in cells)]))
    lines.append(f"mean ± standard deviation over seeds; * differs from {reference} (paired t, Holm)")
    return "\n".join(lines)


def seeds_of(rows: pd.DataFrame) -> str:
    """Format how many seeds each arm has."""
    counts = rows.groupby("arm", sort=False)["seed"].nunique()
    return "seeds: " + ", ".join(f"{arm} {count}" for arm, count in counts.items())


def _cell(values: pd.Series, star: str) -> str:
    spread = f" ± {values.std():.3f}" if len(values) > 1 else ""
    return f"{values.mean():.3f}{spread}{star}"


def difference(rows: pd.DataFrame, arm: str, other: str, measure: str, unit: str = "seed") -> str:
    """Format the difference of two arms in one measure: mean, 95 % interval, p of the t-test paired over `unit`.

    If it is not significant, the difference that the test would have found in four of five experiments of this size
    stands beside it.
    """
    from scipy.stats import ttest_rel

    pairs = rows.pivot(index=unit, columns="arm", values=measure)[[arm, other]].dropna()
    if len(pairs) < 2:
        return f"{measure}: {arm} - {other} = {(pairs[arm] - pairs[other]).mean():+.3f}, one {unit}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns if all seeds agree exactly
        found = ttest_rel(pairs[arm], pairs[other])
    low, high = found.confidence_interval(0.95)
    apart = pairs[arm] - pairs[other]
    null = "" if found.pvalue < ALPHA else f"; detectable: {detectable(apart):.3f}"
    return f"{measure}: {arm} - {other} = {apart.mean():+.3f} [{low:+.3f}, {high:+.3f}], p {found.pvalue:.3f}{null}"


def detectable(apart: pd.Series) -> float:
    """Return the mean difference that a paired t-test of this many pairs finds with a power of 80 %."""
    from scipy.stats import t

    quantiles = t.ppf([1 - ALPHA / 2, _POWER], len(apart) - 1)
    return float(quantiles.sum() * apart.std() / len(apart) ** 0.5)


def _different(rows: pd.DataFrame, reference: str, measures: Sequence[str]) -> set[tuple[str, str]]:
    from scipy.stats import ttest_rel
    from statsmodels.stats.multitest import multipletests

    compared, values = [], []
    for measure in measures:
        pairs = rows.pivot(index="seed", columns="arm", values=measure)
        for arm in pairs.columns.difference([reference]):
            both = pairs[[arm, reference]].dropna()
            if len(both) > 1 and (both[arm] - both[reference]).std() > 0:
                compared.append((str(arm), measure))
                values.append(float(ttest_rel(both[arm], both[reference]).pvalue))
    rejected = multipletests(values, method="holm")[0] if values else []
    return {name for name, is_apart in zip(compared, rejected, strict=True) if is_apart}
