"""Runs of MLflow, in a database of its own."""

import logging
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from holdfast.harness.results.export.exported_run import ExportedRun, file_names, writable
from holdfast.harness.results.export.exporter import exporter

_LONGEST = 6000
"""Characters of the longest parameter that MLflow takes."""


@exporter("mlflow", modules=("mlflow", "sqlalchemy", "alembic"), appends=True)
def mlflow_runs(run: ExportedRun, folder: Path) -> None:
    """Log an MLflow run for each adapter to the database mlflow.db.

    Metrics are called TASK/CONDITION/NAME, with the ends of their intervals as NAME_low and NAME_high. run.json and the
    tables are artifacts.
    """
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)  # which would tell of every table that it creates
    place = folder.resolve()
    client = MlflowClient(tracking_uri=f"sqlite:///{place / 'mlflow.db'}")
    name = writable(run.folder.resolve().name)
    experiment = client.get_experiment_by_name(name)
    artifacts = (place / "artifacts").as_uri()
    identity = experiment.experiment_id if experiment else client.create_experiment(name, artifacts)
    for adapter in run.manifest.adapters:
        _log(client, identity, run, adapter.name)


def _log(client: Any, experiment: str, run: ExportedRun, adapter: str) -> None:
    from mlflow.entities import Metric, Param, RunTag

    parts, manifest = run.parts_of(adapter), run.manifest
    start, end = (int(datetime.fromisoformat(each).timestamp() * 1000) for each in (manifest.started, run.finished))
    made = client.create_run(experiment, start_time=start, run_name=writable(adapter)).info.run_id
    tasks = file_names(part.task for part in parts)
    values = [
        (f"{tasks[part.task]}/{_allowed(each.condition.replace('@', '/'))}/{_allowed(each.name)}{ending}", value)
        for part in parts
        for each in part.numbers
        for ending, value in (("", each.value), ("_low", each.low), ("_high", each.high))
        if value is not None
    ]
    settings = writable(manifest.config.model_dump(mode="json", exclude_defaults=True))
    tags = {
        "holdfast.adapter_digest": parts[0].adapter.digest,
        "holdfast.base_digest": manifest.base_digest,
        "holdfast.variants": manifest.variants,
        "holdfast.samples_sha256": manifest.samples_sha256 or "",
    }
    for i in range(0, len(values), 500):  # the most that a store takes at once
        client.log_batch(made, metrics=[Metric(name, value, end, 0) for name, value in values[i : i + 500]])
    client.log_batch(
        made,
        params=[Param(name, str(value)[:_LONGEST]) for name, value in settings.items()],  # run.json has the rest
        tags=[RunTag(name, value) for name, value in tags.items()],
    )
    for file in ("run.json", "breakdown.csv", "leaderboard.csv"):
        if (run.folder / file).is_file():
            client.log_artifact(made, str(run.folder / file))
    client.set_terminated(made, end_time=end)


def _allowed(name: str) -> str:
    """Return a name with the characters that MLflow allows in one.

    >>> _allowed("typos+emoji/0.1"), _allowed("exact_match,strict-match")
    ('typos_emoji/0.1', 'exact_match_strict-match')
    """
    return re.sub(r"[^\w./-]", "_", name)
