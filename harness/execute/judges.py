"""Scoring beyond one machine: answers shared out over judges, each an actor with encoders of its own."""

import warnings
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from holdfast.errors import UserError
from holdfast.harness.execute.encoding import run_encoding
from holdfast.harness.execute.ray_cluster import RESTARTS, actors, plain_errors
from holdfast.harness.execute.scoring import Row, Scored, Scorer
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.embeddings import cached_embeddings


def judges_on_ray(config: RunConfig, scorer: Scorer) -> "Scorer | Judges":
    """As many judges as there are replicas, where the run is distributed; `scorer` itself where it is not."""
    return Judges(config) if config.distributed else scorer


class Judge:
    """Metrics, encoders and transport in a process of their own, made ready when they are first asked."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._open = ExitStack()

    @cached_property
    def _scorer(self) -> Scorer:
        # The folder goes at once, its open files stay until the process ends, however it does.
        with TemporaryDirectory(prefix="holdfast-judge-") as folder:
            encoding = self._open.enter_context(cached_embeddings(Path(folder), run_encoding(self._config, ())))
        return Scorer(encoding, self._config.granularity, self._config.spacy_pipeline)

    def score(self, rows: Sequence[Row]) -> tuple[list[Scored], list[str]]:
        """The scores, and what was warned of."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            scored = self._scorer.score(rows)
        return scored, [str(each.message) for each in caught if each.category is UserWarning]


class Judges:
    """The run's scorer on the driver."""

    def __init__(self, config: RunConfig) -> None:
        # Without a processor of their own they find room beside any replica.
        self._judges = actors(
            config.ray_address, Judge, config.replicas, (config,), num_cpus=0, scheduling_strategy="SPREAD"
        )

    def score(self, rows: Sequence[Row]) -> list[Scored]:
        """As `Scorer.score`; all that is compared with one clean answer goes to one judge, who has encoded it."""
        import ray
        from ray.exceptions import RayActorError

        shares: dict[int, list[int]] = {}
        for i, row in enumerate(rows):
            text = row.output if row.clean is None else row.clean
            place = zlib.crc32(text.encode("utf-8", "surrogatepass")) % len(self._judges)
            shares.setdefault(place, []).append(i)
        asked = [self._judges[place].score.remote([rows[i] for i in share]) for place, share in shares.items()]
        try:
            with plain_errors():
                answers = ray.get(asked)
        except RayActorError:
            raise UserError(
                f"a judge died more than {RESTARTS} times: what was scored is kept, the same command goes on (Ray's "
                "log says what it died of)"
            ) from None
        found: dict[int, Scored] = {}
        for share, (scored, warned) in zip(shares.values(), answers, strict=True):
            found.update(zip(share, scored, strict=True))
            for message in warned:
                warnings.warn(message, stacklevel=2)
        return [found[i] for i in range(len(rows))]
