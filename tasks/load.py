"""Loads a task by its registered name, from people's own data, or from a YAML description."""

from holdfast.errors import UserError
from holdfast.paths import expanded
from holdfast.tasks.data_files.data_rows import FORMATS, TEXT_AT_LABEL, data_rows
from holdfast.tasks.data_files.data_sets import is_data_set
from holdfast.tasks.data_files.field_map import FieldMap, mapped
from holdfast.tasks.data_files.sample_rows import build_samples
from holdfast.tasks.published.data_set import find_data_set
from holdfast.tasks.task import Task, tasks
from holdfast.tasks.task_labels import LABEL_METRIC
from holdfast.tasks.yaml_task import read_yaml_task

DEFAULT_WITH_CHOICES = ("exact_match",)
"""Metrics of people's own data with references and choices."""

DEFAULT_WITH_REFERENCES = ("token_f1", "exact_match", "rouge")
"""Metrics of people's own data with references."""

DEFAULT_WITHOUT_REFERENCES = ("answer_rate",)
"""Metrics of people's own data without references, which are judged by drift."""

_DESCRIPTIONS = (".yaml", ".yml")


def load_task(name: str, fields: FieldMap | None = None) -> Task:
    """Load a task.

    Args:
        name: A registered name; a published data set (`NAME`, or `NAME=PATH`); a data file (.jsonl, .json, .csv,
            .tsv, .parquet, .txt with `text@label` in each line), a folder written by `save_to_disk` or a data set of a
            hub (`owner/name`); or a `.yaml` description.
        fields: The names of the fields in data files and data sets, where they are not our own.

    Raises:
        UserError: If the name is unknown, or the file is missing or invalid.
    """
    if published := find_data_set(name):
        data_set, source = published
        return data_set.read(data_set.name, source)
    path = expanded(name)
    if path.suffix in _DESCRIPTIONS:
        return read_yaml_task(path)
    if is_own_data(name):
        return _own_data(str(path), fields or FieldMap())
    if path.exists() or len(path.parts) > 1:
        raise UserError(
            f"'{name}' is not a task file: use {', '.join(FORMATS)} (samples), a saved data set, or .yaml (a task that "
            "maps other fields)"
        )
    return tasks.get(name)()


def is_own_data(name: str) -> bool:
    """Return whether a task is named by its data: a file of samples or a data set."""
    path = expanded(name)
    if find_data_set(name):
        return False
    return path.suffix in FORMATS or (not name.startswith("lm_eval/") and is_data_set(str(path)))


def _own_data(source: str, fields: FieldMap) -> Task:
    path = expanded(source)
    rows = data_rows(source, encoding=fields.encoding)
    samples = build_samples(mapped(rows, fields), called=fields.called)
    if not samples[0].references:
        metrics: tuple[str, ...] = DEFAULT_WITHOUT_REFERENCES
    elif samples[0].choices:
        metrics = DEFAULT_WITH_CHOICES
    elif path.suffix == TEXT_AT_LABEL or all(sample.metadata.get("labels") for sample in samples):
        metrics = (LABEL_METRIC,)
    else:
        metrics = DEFAULT_WITH_REFERENCES
    return Task(path.stem, samples, metrics)
