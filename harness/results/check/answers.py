"""One side of a check: an adapter's answers, as a table, and the conditions under which they were given."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.results.answer_frame import answer_frame
from holdfast.harness.store.lines import Line
from holdfast.harness.store.manifest import AdapterEntry, Manifest, TaskEntry, not_a_run, read_manifest
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.harness.store.stored_run import lines_with_keys, open_run
from holdfast.metrics import metrics
from holdfast.metrics.drift_columns import DRIFTS
from holdfast.suggestions import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

WITHHELD = "filtered"
"""The finish of an answer that a server's content filter withheld."""

PROMPTS = "prompts and their variants"
"""The condition that holds the digest of all prompts."""

_SETTINGS = (
    *("gen_kwargs", "chat_template_kwargs", "keep_reasoning", "repeats", "search", "min_meaning"),
    *("encoder", "comparer", "granularity", "break_threshold", "additions", "spacy_pipeline"),
)
"""Settings of a run that its numbers depend on."""

_ORIGIN = ("limit", "perturbations", "severity", "seed", "pack", "paraphraser")
"""Settings of a run that its prompts depend on; unlike ones may give the same prompts."""


@dataclass(frozen=True, slots=True)
class TaskAnswers:
    """What is known of one task: its metrics, which of them stands for it, and whether more is better."""

    headline: str
    higher_is_better: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one adapter."""

    name: str
    """The adapter's name."""
    source: str
    """Where the answers come from, as in RUN:ADAPTER."""
    digest: str
    """Equal digests mean that the same weights answered; empty if unknown."""
    texts: Callable[[Set[str]], Mapping[str, Line]]
    """Returns the answers with these keys: prompt, output and reason, and as `run` the run that explain can read."""
    prompts: Mapping[tuple[str, str], str]
    """The clean prompts by task and sample."""
    table: "pd.DataFrame"
    """A row per answer that counts: task, sample, groups, item, perturbation, severity, repeat, key, prompt, output,
    reason, the scores, `score` (the headline) and `broke`. Prompts and outputs are hashes; a score that is NaN was not
    given."""
    tasks: Mapping[str, TaskAnswers]
    warnings: Sequence[str]
    """What its run warned of."""
    conditions: Mapping[str, Any]
    """What must be equal for two sides to be compared, by the name that messages use."""
    mitigation: str = ""
    """The text around its prompts, which two sides may differ in."""
    origin: Mapping[str, Any] = field(default_factory=dict)
    """The settings that the prompts come from: where prompts differ, these say why."""


def read_side(folder: Path, adapter: str | None) -> Answers:
    """Read the answers of one adapter of a finished run.

    Args:
        folder: The run.
        adapter: The adapter's name; None takes the run's only one.

    Raises:
        UserError: If the run is missing, unfinished or edited, or it has no such adapter.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise not_a_run(folder)
    if manifest.status != "complete":
        raise UserError(f"{folder} is not finished: repeat its command, which goes on where it stopped")
    entry = _entry(folder, manifest, adapter)
    prompts: dict[tuple[str, str], str] = {}

    def prompt(line: Line) -> int:
        if line["perturbation"] == CLEAN:
            prompts[line["task"], line["sample"]] = line["prompt"]
        return hash(line["prompt"])

    more = {"prompt": prompt, "output": lambda line: hash(line["output"]), "finish": lambda line: line["finish"]}
    table = answer_frame(open_run(folder), adapter=entry.name, more=more)
    drawn = table["repeat"] < manifest.config.variants_per_sample  # a search finds others for each adapter
    table = _scorable(table[drawn & ~table["directed"]], manifest)
    return Answers(
        name=entry.name,
        source=f"{folder}:{entry.name}",
        # behind a server's model name there may be other weights each time
        digest=""
        if manifest.config.model == "api"
        else f"{manifest.base_digest} {entry.digest} {entry.scale} {entry.mitigation}",
        texts=lambda keys: _texts(folder, keys),
        prompts=prompts,
        table=table,
        tasks={name: _task(table[table["task"] == name], task) for name, task in manifest.tasks.items()},
        warnings=manifest.warnings,
        conditions=_conditions(manifest),
        mitigation=entry.mitigation,
        origin={name: getattr(manifest.config, name) for name in _ORIGIN},
    )


def joined(parts: Sequence[Answers], source: str) -> Answers:
    """Return the answers of one adapter to several parts of the same tasks as one side, which comes from `source`."""
    import pandas as pd

    def texts(keys: Set[str]) -> Mapping[str, Line]:
        return {key: line for part in parts for key, line in part.texts(keys).items()}

    headlines = {name: task.headline for part in parts for name, task in part.tasks.items()}
    directions: dict[str, dict[str, bool]] = {name: {} for name in headlines}
    for part in parts:
        for name, task in part.tasks.items():
            directions[name] |= task.higher_is_better
    return replace(
        parts[0],
        source=source,
        conditions={name: value for name, value in parts[0].conditions.items() if name != PROMPTS},
        warnings=[warning for part in parts for warning in part.warnings],
        texts=texts,
        prompts={place: text for part in parts for place, text in part.prompts.items()},
        table=pd.concat([part.table for part in parts], ignore_index=True),
        tasks={name: TaskAnswers(headline, directions[name]) for name, headline in headlines.items()},
    )


def _entry(folder: Path, manifest: Manifest, adapter: str | None) -> AdapterEntry:
    named = {entry.name: entry for entry in manifest.adapters}
    if adapter is None and len(named) > 1:
        raise UserError(f"{folder} has {len(named)} adapters: name one, as in {folder}:{next(iter(named))}")
    if adapter is not None and adapter not in named:
        raise UserError(f"{folder} has no adapter '{adapter}'{did_you_mean(adapter, named)}")
    return next(iter(named.values())) if adapter is None else named[adapter]


def _texts(folder: Path, keys: Set[str]) -> dict[str, Line]:
    """Return the answers with these keys, with the run that they are of."""
    return {key: line | {"run": str(folder)} for key, line in lines_with_keys(folder, keys).items()}


def _scorable(table: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """Blank the scores of answers that give nothing to score: withheld ones, and those without what a metric looks for.

    A metric names in `given` the score that says whether it found anything.
    """
    table = table.reset_index(drop=True)
    withheld = table["finish"] == WITHHELD
    for metric in map(metrics.get, metrics.names()):
        judged = [name for name in metric.higher_is_better if name in table and name != metric.given]
        table.loc[withheld, judged] = float("nan")
        if metric.given in table:
            table.loc[table[metric.given] == 0, judged] = float("nan")
    table.loc[withheld, "broke"] = float("nan")
    for name, task in manifest.tasks.items():
        chosen = table["task"] == name
        if task.headline in table:
            table.loc[chosen, "score"] = table.loc[chosen, task.headline]
    return table


def _task(rows: "pd.DataFrame", task: TaskEntry) -> TaskAnswers:
    """Describe a task by the scores that its answers have."""
    known = {key: higher for name in metrics.names() for key, higher in metrics.get(name).higher_is_better.items()}
    known |= task.scores  # of metrics that only the run's own process knew
    there = {name: higher for name, higher in known.items() if name in rows and rows[name].notna().any()}
    higher = known[task.headline]
    perturbed = not rows["perturbation"].isin([CLEAN, IDENTITY]).all()
    pooled = {"clean": higher} | ({"perturbed": higher, "break_rate": False} if perturbed else {})
    scores = {name: up for name, up in there.items() if perturbed or name not in DRIFTS}
    return TaskAnswers(task.headline, pooled | scores)


def _conditions(manifest: Manifest) -> dict[str, Any]:
    config = manifest.config.model_dump(mode="json")
    return {
        **{f"setting {name}": config[name] for name in _SETTINGS},
        **{f"data of task {name}": task.digest for name, task in manifest.tasks.items()},
        PROMPTS: manifest.variants,
        **manifest.inputs,
        **{f"version of {name}": value for name, value in manifest.versions.items()},
    }
