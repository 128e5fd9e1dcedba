"""Distributed scoring: answers are divided among actors that each have their own encoders."""

import warnings
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from holdfast.errors import UserError
from holdfast.harness.backends.backend import RESUMES
from holdfast.harness.execute.encoding import run_encoding
from holdfast.harness.execute.ray_cluster import RESTARTS, plain_errors, start_actors
from holdfast.harness.execute.scoring import Row, Scored, Scorer
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.embeddings import cached_embeddings
from holdfast.metrics.comparers.segment_comparer import comparer_of


def distributed_scorer(config: RunConfig, scorer: Scorer) -> "Scorer | DistributedScorer":
    """Return a scorer with one actor per replica if the run is distributed, else `scorer` itself."""
    return DistributedScorer(config) if config.distributed else scorer


class ScoringActor:
    """A scorer in its own process, loaded on first use."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._open = ExitStack()

    @cached_property
    def _scorer(self) -> Scorer:
        # The folder is deleted at once; its open files remain until the process ends, even if it is killed.
        with TemporaryDirectory(prefix="holdfast-scorer-") as folder:
            encoding = self._open.enter_context(cached_embeddings(Path(folder), run_encoding(self._config, ())))
        config = self._config
        return Scorer(encoding, config.granularity, config.spacy_pipeline, comparer_of(config.comparer))

    def score(self, rows: Sequence[Row]) -> tuple[list[Scored], list[str]]:
        """Return the scores, and the warnings raised meanwhile."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            scored = self._scorer.score(rows)
        return scored, [str(each.message) for each in caught if each.category is UserWarning]


class DistributedScorer:
    """The run's scorer on the driver."""

    def __init__(self, config: RunConfig) -> None:
        # They reserve no CPU, so that they fit on any node next to a replica.
        self._actors = start_actors(
            config.ray_address, ScoringActor, config.replicas, (config,), num_cpus=0, scheduling_strategy="SPREAD"
        )

    def score(self, rows: Sequence[Row]) -> list[Scored]:
        """Score like `Scorer.score`; answers with the same clean answer go to the same actor, which has it encoded."""
        import ray
        from ray.exceptions import RayActorError

        shares: dict[int, list[int]] = {}
        for i, row in enumerate(rows):
            text = row.output if row.clean is None else row.clean
            place = zlib.crc32(text.encode("utf-8", "surrogatepass")) % len(self._actors)
            shares.setdefault(place, []).append(i)
        pending = [self._actors[place].score.remote([rows[i] for i in share]) for place, share in shares.items()]
        try:
            with plain_errors():
                answers = ray.get(pending)
        except RayActorError:
            raise UserError(
                f"a scorer died more than {RESTARTS} times: {RESUMES} (see Ray's log for the cause)"
            ) from None
        found: dict[int, Scored] = {}
        for share, (scored, messages) in zip(shares.values(), answers, strict=True):
            found.update(zip(share, scored, strict=True))
            for message in messages:
                warnings.warn(message, stacklevel=2)
        return [found[i] for i in range(len(rows))]
