"""The `.eval_results` files of a model on the Hugging Face Hub."""

import re
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.results.export.exported_run import ExportedRun, Measured, file_names
from holdfast.harness.results.export.exporter import exporter
from holdfast.writing import write_text

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@exporter("eval_results")
def eval_results(run: ExportedRun, folder: Path) -> None:
    """Write .eval_results/TASK.yaml for each adapter, for data sets of the Hub.

    Raises:
        UserError: If a task is not a data set of the Hub, which the format has to name.
    """
    import yaml
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    ids = {task: _hub_name(run, task) for task in run.manifest.tasks}
    names = file_names(part.adapter.name for part in run.parts)
    tasks = file_names(run.manifest.tasks)
    for part in run.parts:
        entries = [
            EvalResultEntry(
                dataset_id=ids[part.task],
                task_id=part.entry.headline if each.condition == "clean" else f"{part.entry.headline}/{each.condition}",
                value=each.value,
                date=run.finished,
                notes=_notes(each),
            )
            for each in part.numbers
            if each.name == part.entry.headline
        ]
        text = yaml.safe_dump(eval_result_entries_to_yaml(entries), allow_unicode=True, sort_keys=False)
        write_text(folder / names[part.adapter.name] / ".eval_results" / f"{tasks[part.task]}.yaml", text)


def _hub_name(run: ExportedRun, task: str) -> str:
    """Return the name on the Hub of the data that a task was read from."""
    for spec in run.manifest.config.tasks:
        is_there = Path(run.manifest.directory, spec).exists()
        if _HUB_NAME.fullmatch(spec) and Path(spec).stem == task and not is_there and not spec.startswith("lm_eval/"):
            return spec
    raise UserError(
        f"--to eval_results names data sets of the Hub, and task '{task}' is not one: use --to model-index for "
        "tasks of your own"
    )


def _notes(each: Measured) -> str:
    interval = f", 95 % interval{each.interval}" if each.interval else ""
    return f"{each.condition}, {each.samples} samples{interval}"
