"""Do the same under several seeds: one folder for each, below the output path."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.actions.training import train_adapter
from holdfast.harness.backends import backends
from holdfast.harness.evaluation import evaluate_config
from holdfast.harness.execute.kept_engine import KeptEngine
from holdfast.harness.plan.packs import apply_pack
from holdfast.harness.plan.preparation import new_manifest, prepare
from holdfast.harness.results.over_seeds import names_over_seeds
from holdfast.harness.results.run_results import Results
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.manifest import FILE
from holdfast.suggestions import did_you_mean
from holdfast.training.recipe import Recipe

_LARGEST = 2**32 - 1


def parse_seeds(text: str) -> list[int]:
    """Return the seeds of a list such as 42,43,44.

    Raises:
        UserError: If one is no whole number from 0 to 4,294,967,295, or is given twice, or there is only one.
    """
    seeds = []
    for part in (part.strip() for part in text.split(",") if part.strip()):
        if not (part.isascii() and part.isdigit() and int(part) <= _LARGEST):
            raise UserError(f"--seeds: a seed is a whole number from 0 to {_LARGEST}, got '{part}'")
        if int(part) in seeds:
            raise UserError(f"--seeds: {int(part)} is given twice: leave one of them out")
        seeds.append(int(part))
    if len(seeds) < 2:
        raise UserError("--seeds names several seeds, as in 42,43,44; for one, use --seed")
    return seeds


def evaluate_seeds(config: RunConfig, seeds: Sequence[int], baseline: str | None = None) -> list[Results]:
    """Run an evaluation under each seed, in `seed-N` below its output path; each run is resumed like any other.

    The base is loaded once, unless the runs are distributed over workers.

    Args:
        config: The configuration, but for its seed.
        seeds: The seeds.
        baseline: The adapter that the others will be compared with.

    Raises:
        UserError: If the output path holds a run, no adapter is called like the baseline, or for any mistake that
            `evaluate_config` finds.
    """
    out = Path(config.output_path)
    if (out / FILE).exists():
        raise UserError(f"--output_path '{out}' holds a run: choose another for the runs of --seeds")
    if baseline is not None:
        names = names_over_seeds(new_manifest(prepare(apply_pack(config))))
        if baseline not in names:
            raise UserError(f"--baseline: no adapter '{baseline}' in these runs{did_you_mean(baseline, names)}")
    engine = None if config.distributed else KeptEngine(backends.get(config.model).build)
    return [
        evaluate_config(
            config.model_copy(update={"seed": seed, "output_path": str(out / f"seed-{seed}")}), backend=engine
        )
        for seed in seeds
    ]


def train_seeds(recipe: Recipe, seeds: Sequence[int]) -> Iterator[Path]:
    """Train an adapter under each seed, in `seed-N` below the recipe's output path."""
    for seed in seeds:
        changed = {"seed": seed, "output_path": str(Path(recipe.output_path) / f"seed-{seed}")}
        yield train_adapter(recipe.model_copy(update=changed))
