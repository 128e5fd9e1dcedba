"""Offline runs of Weights & Biases."""

from pathlib import Path

from holdfast.harness.results.export.exported_run import ExportedRun, writable
from holdfast.harness.results.export.exporter import exporter

_COLUMNS = ("task", "condition", "name", "value", "low", "high", "samples")


@exporter("wandb", modules=("wandb",), appends=True)
def wandb_runs(run: ExportedRun, folder: Path) -> None:
    """Log an offline run of Weights & Biases for each adapter.

    The summary holds each number as TASK/CONDITION/NAME; the table `cells` has them with their intervals.
    """
    import wandb

    for adapter in run.manifest.adapters:
        parts = run.parts_of(adapter.name)
        rows = [(writable(part.task), each) for part in parts for each in part.numbers]
        with wandb.init(
            mode="offline",
            dir=folder,
            project=writable(run.folder.resolve().name),
            name=writable(adapter.name),
            config=writable(run.manifest.model_dump(mode="json")),
            settings=wandb.Settings(silent=True, console="off", x_disable_stats=True, x_disable_meta=True),
        ) as made:
            made.summary.update({f"{task}/{each.condition}/{each.name}": each.value for task, each in rows})
            table = wandb.Table(columns=list(_COLUMNS))
            for task, each in rows:
                table.add_data(task, each.condition, each.name, each.value, each.low, each.high, each.samples)
            made.log({"cells": table})
