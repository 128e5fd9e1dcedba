"""The `model-index` of a model card's front matter."""

from pathlib import Path

from holdfast.harness.results.export.exported_run import ExportedRun, Measured, Part, file_names, writable
from holdfast.harness.results.export.exporter import exporter

_SHOWN = ("delta", "max_drift", "break_rate", "noise_floor")
"""What is shown beside the scores."""

_TASK = "text-generation"


@exporter("model-index")
def model_index(run: ExportedRun, folder: Path) -> None:
    """Write the front matter of each adapter's model card.

    Each condition is a configuration of the data set, as in `typos@light`. The format has no fields for intervals: they
    stand in the names of the metrics.
    """
    from huggingface_hub import ModelCard, ModelCardData

    for adapter, name in file_names(part.adapter.name for part in run.parts).items():
        results = [
            _result(part, each)
            for part in run.parts_of(adapter)
            for each in part.numbers
            if each.name in part.entry.scores or each.name in _SHOWN
        ]
        data = ModelCardData(model_name=writable(adapter), eval_results=results)
        (folder / name).mkdir()
        ModelCard(f"---\n{data.to_yaml()}\n---\n").save(folder / name / "README.md")


def _result(part: Part, measured: Measured) -> object:
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type=_TASK,
        dataset_type=writable(part.task),
        dataset_name=f"{writable(part.task)} ({measured.condition})",
        dataset_config=measured.condition,
        dataset_revision=part.entry.digest,
        metric_type=measured.name,
        metric_name=f"{measured.name}{measured.interval}, n = {measured.samples}",
        metric_value=measured.value,
    )
