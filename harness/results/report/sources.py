"""The runs that a report is about, each read once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.harness.results.groups.answer_groups import labels_of
from holdfast.harness.results.safety.safety_tasks import SAFETY
from holdfast.harness.results.summary import RunAnswers, read_answers
from holdfast.harness.store.manifest import Manifest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A run.

    Attributes:
        folder: Where it is.
        manifest: Its run.json.
        answers: A row per answer.
        breakdown: A row per cell.
        board: A row per adapter, best first.
        groups: A row per adapter and group; None if no sample has a group.
        labels: The names of its adapters in the report, by their names in the run.
    """

    folder: Path
    manifest: Manifest
    answers: "pd.DataFrame"
    breakdown: "pd.DataFrame"
    board: "pd.DataFrame"
    groups: "pd.DataFrame | None"
    labels: Mapping[str, str]

    def is_safety(self, task: str) -> bool:
        """Whether a task asks what should be refused, so that its texts may be harmful."""
        scores = self.answers.loc[self.answers["task"] == task, [name for name in SAFETY if name in self.answers]]
        return bool(scores.notna().to_numpy().any())


def read_sources(folders: Sequence[Path]) -> list[Source]:
    """Read runs, finished or not; an adapter's name in several of them gets its run in front.

    Raises:
        UserError: If a folder has no run, or the run has no answers yet.
    """
    found = [(folder, read_answers(folder)) for folder in folders]
    names = Counter(entry.name for _, run in found for entry in run.manifest.adapters)
    return [_source(folder, run, names) for folder, run in found]


def _source(folder: Path, run: RunAnswers, names: Mapping[str, int]) -> Source:
    adapters = [entry.name for entry in run.manifest.adapters]
    labels = {name: name if names[name] == 1 else f"{folder}:{name}" for name in adapters}
    groups = run.leaderboard("group") if labels_of(run.manifest) else None
    return Source(folder, run.manifest, run.answers, run.breakdown(), run.leaderboard(), groups, labels)
