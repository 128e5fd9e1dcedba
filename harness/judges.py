"""Scoring beyond one machine: answers shared out over judges, each an actor with encoders of its own."""

import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from holdfast.harness.config import RunConfig
from holdfast.harness.embeddings import kept_embeddings
from holdfast.harness.encoding import run_encoding
from holdfast.harness.scoring import Row, Scored, Scorer

RESTARTS = 3
"""A judge that dies more often is given up."""


def judges_on_ray(config: RunConfig, scorer: Scorer) -> "Scorer | Judges":
    """As many judges as there are replicas, where the run is distributed; `scorer` itself where it is not."""
    return Judges(config) if config.distributed else scorer


class Judge:
    """Metrics, encoders and transport in a process of their own."""

    def __init__(self, config: RunConfig) -> None:
        self._open = ExitStack()
        folder = Path(self._open.enter_context(TemporaryDirectory(prefix="holdfast-judge-")))
        encoding = self._open.enter_context(kept_embeddings(folder, run_encoding(config, ())))
        self._scorer = Scorer(encoding, config.granularity, config.spacy_pipeline)

    def score(self, rows: Sequence[Row]) -> list[Scored]:
        return self._scorer.score(rows)


class Judges:
    """The run's scorer on the driver."""

    def __init__(self, config: RunConfig) -> None:
        import ray

        # Without a processor of their own they find room beside any replica; what they do can be done again.
        options = {"num_cpus": 0, "scheduling_strategy": "SPREAD", "max_restarts": RESTARTS, "max_task_retries": -1}
        remote = ray.remote(**options)(Judge)
        self._judges = [remote.remote(config) for _ in range(config.replicas)]

    def score(self, rows: Sequence[Row]) -> list[Scored]:
        """As `Scorer.score`; all that is compared with one clean answer goes to one judge, who has encoded it."""
        import ray

        shares: dict[int, list[int]] = {}
        for i, row in enumerate(rows):
            text = row.output if row.clean is None else row.clean
            place = zlib.crc32(text.encode("utf-8", "surrogatepass")) % len(self._judges)
            shares.setdefault(place, []).append(i)
        asked = [self._judges[place].score.remote([rows[i] for i in share]) for place, share in shares.items()]
        found: dict[int, Scored] = {}
        for share, scored in zip(shares.values(), ray.get(asked), strict=True):
            found.update(zip(share, scored, strict=True))
        return [found[i] for i in range(len(rows))]
