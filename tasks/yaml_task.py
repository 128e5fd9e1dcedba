"""Tasks described by a YAML file in the style of lm-eval, which maps data fields to the task."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.paths import expanded
from holdfast.tasks.data_files.data_rows import FORMATS, DataRows, data_rows
from holdfast.tasks.data_files.data_sets import is_data_set
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.data_files.sample_rows import build_samples
from holdfast.tasks.lm_eval_keys.few_shot import draw_examples, example_texts
from holdfast.tasks.lm_eval_keys.included import read_with_included
from holdfast.tasks.lm_eval_keys.key_checks import check_generation, check_keys
from holdfast.tasks.lm_eval_keys.metric_list import read_metrics, read_rubric
from holdfast.tasks.output_filters import OutputFilter, make_filter
from holdfast.tasks.row_mapping import RowMapping
from holdfast.tasks.sample import EXAMPLES
from holdfast.tasks.task import Task

_CONTEXT = "fewshot_context"
"""The metadata with what stands in front of a prompt: the description and the examples."""

_LOADERS = ("json", "csv", "parquet", "text")
"""Names that lm-eval's files have as `dataset_path` where `dataset_kwargs` names the files."""


def read_yaml_task(path: Path) -> Task:
    """Read a YAML task.

    Keys:

        task               name of the task
        dataset_path       a data file (relative to the YAML file), a saved data set or a hub name; or json, csv or
                           parquet, with the files in `dataset_kwargs: {data_files: ...}`, by split if there are several
        dataset_name       configuration of a data set
        test_split         split with the samples; default: validation_split, or the first of test, validation, train
        include            another task file, or several, whose keys count unless this file has them, too
        encoding           of a text file; `repair` for one that mixes UTF-8 with Latin-1
        doc_to_content     the content, which is perturbed: a field name or a Jinja2 template over the fields; default:
                           the whole of doc_to_text
        doc_to_target      references: a field name (text or a list) or a template, which may yield a list, too; with
                           doc_to_choice, a whole number is a place in the choices, counted from 0, as in lm-eval
        doc_to_id          sample id: a field name or a template; default: the field `id`, else the number of the row
        doc_to_text        the prompt: a template over the fields, with the content as `content` or under its field name
        doc_to_choice      makes the task multiple choice: a list, the name of a field that contains one, or a template
                           that yields one
        doc_to_group       groups that get rows of their own in the results: a field name, a template, a list of field
                           names or an object of both, as in {language: lang}; default: the field `group`
        doc_to_item        what the sample is one form of: a field name or a template; default: the field `item`
        output_type        generate_until or multiple_choice; default: the latter with doc_to_choice
        description        text in front of the prompt, a template over the fields
        num_fewshot        number of examples in front of the prompt, drawn as lm-eval draws them, from fewshot_split,
                           training_split or else the samples; `fewshot_config: {sampler: first_n}` takes the first ones
        target_delimiter   between an example's question and answer; default: a space
        fewshot_delimiter  behind an example; default: an empty line
        filter_list        one filter, whose steps are done to an answer before it is compared with the references
        metric_list        names of metrics; `judge` with its `rubric`, as in {metric: judge, rubric: "Is it polite?"}
        generation_kwargs  max_gen_toks and until

    Raises:
        UserError: If anything is missing, unknown, unsupported or invalid; the message names the file and the key, or
            the rows.
    """
    settings = _settings(path)
    generation = settings.get("generation_kwargs", {})
    until = generation.get("until", ())
    source = _source(path, settings, _split_of(settings))
    rows = list(source.rows)
    mapping = RowMapping(path, settings)
    context_of = _context_of(path, settings, rows, mapping)
    mapped = _mapped(replace(source, rows=iter(rows)), mapping, context_of)
    samples = build_samples(mapped, choices_in=mapping.choices_in, called=mapping.called)
    judged = any(sample.references for sample in samples)
    default = ["exact_match" if judged else "answer_rate"]
    return Task(
        name=str(settings["task"]),
        samples=samples,
        metrics=read_metrics(path, settings.get("metric_list", default), has_choices=bool(samples[0].choices)),
        prompt=_prompt(path, settings),
        max_new_tokens=generation.get("max_gen_toks", 64),
        stop=(until,) if isinstance(until, str) else tuple(until),
        filters=_filters(path, settings.get("filter_list")),
        rubric=read_rubric(path, settings.get("metric_list", ())),
    )


def _settings(path: Path) -> dict[str, Any]:
    settings = read_with_included(path)
    check_keys(path, settings)
    for key in ("task", "dataset_path"):
        if key not in settings:
            raise UserError(f"{path}: '{key}' is missing")
    if "doc_to_content" not in settings and "doc_to_text" not in settings:
        raise UserError(f"{path}: 'doc_to_content' is missing: name the field to perturb")
    check_generation(path, settings.get("generation_kwargs", {}))
    return settings


def _split_of(settings: dict[str, Any]) -> str | None:
    """Return the split with the samples, as lm-eval chooses it."""
    found = settings.get("test_split") or settings.get("validation_split")
    return None if found is None else str(found)


def _source(path: Path, settings: dict[str, Any], split: str | None) -> DataRows:
    """Return the rows of a split of the task's data."""
    given, files = str(settings["dataset_path"]), _data_files(path, settings)
    if isinstance(files, dict):
        if split not in files:
            raise UserError(f"{path}: data_files has no file for the split '{split}': it has {', '.join(files)}")
        given = str(files[split])
    elif files is not None:
        given = str(files)
    near = path.parent / expanded(given)
    is_hub_name = not near.exists() and is_data_set(given)
    if not is_hub_name and near.suffix not in FORMATS and not is_data_set(str(near)):
        raise UserError(
            f"{path}: dataset_path '{given}' is not a data file ({', '.join(FORMATS)}), saved data set or hub name"
        )
    config = settings.get("dataset_name")
    return data_rows(
        given if is_hub_name else near,
        encoding=settings.get("encoding"),
        split=split,
        config=None if config is None else str(config),
    )


def _data_files(path: Path, settings: dict[str, Any]) -> Any:
    arguments = settings.get("dataset_kwargs")
    if arguments is None:
        return None
    files = arguments.get("data_files") if isinstance(arguments, dict) and {*arguments} == {"data_files"} else None
    if settings["dataset_path"] not in _LOADERS or not isinstance(files, (str, dict)):
        raise UserError(
            f"{path}: 'dataset_kwargs' may only name data_files, one or one for each split, for a dataset_path of "
            f"{', '.join(_LOADERS)}"
        )
    return files


def _prompt(path: Path, settings: dict[str, Any]) -> str:
    """Return `doc_to_text` as a template over `content`; it may use the content's field name, or be just that name."""
    front = f"{{{{ {_CONTEXT} }}}}" if _has_context(settings) else ""
    if "doc_to_content" not in settings:
        return front + "{{ content }}"
    field, prompt = str(settings["doc_to_content"]), str(settings.get("doc_to_text", "{{ content }}"))
    if prompt in {field, "content"}:
        return front + "{{ content }}"
    names = [name for name in (field, "content") if re.search(rf"{{[{{%][^}}]*\b{re.escape(name)}\b", prompt)]
    if not names:
        raise UserError(
            f"{path}: 'doc_to_text' doesn't contain the content, so perturbations would have no effect; add "
            "{{ content }}"
        )
    return front + (prompt if "content" in names else f"{{% set {field} = content %}}{prompt}")


def _has_context(settings: dict[str, Any]) -> bool:
    return bool(settings.get("description") or settings.get("num_fewshot"))


def _context_of(
    path: Path, settings: dict[str, Any], rows: list[tuple[int, Fields | UserError]], mapping: RowMapping
) -> Callable[[int, Fields], Fields]:
    """Return a function that gives the text in front of a prompt, as a field, by a row's place among the good ones."""
    number = settings.get("num_fewshot", 0)
    good = [fields for _, fields in rows if not isinstance(fields, UserError)]
    drawn: list[list[Fields]] = [[] for _ in good]
    if number:
        split = settings.get("fewshot_split") or settings.get("training_split")
        others = [] if split is None or split == _split_of(settings) else _source(path, settings, str(split)).rows
        pool = [fields for _, fields in others if not isinstance(fields, UserError)] or good
        same = pool == good  # a single file is all splits
        first = (settings.get("fewshot_config") or {}).get("sampler") == "first_n"
        drawn = draw_examples(good, pool, number, first=first, same=same, where=str(path))
    description = str(settings.get("description", ""))

    def context(place: int, fields: Fields) -> Fields:
        if not _has_context(settings):
            return {}
        examples = example_texts(
            drawn[place],
            mapping.question,
            mapping.answer,
            target_delimiter=settings.get("target_delimiter", " "),
            fewshot_delimiter=settings.get("fewshot_delimiter", "\n\n"),
        )
        context = mapping.text(description, fields, "description") + "".join(examples)
        return {_CONTEXT: context} | ({EXAMPLES: examples} if len(examples) > 1 else {})

    return context


def _mapped(source: DataRows, mapping: RowMapping, context_of: Callable[[int, Fields], Fields]) -> DataRows:
    """Return the rows with the fields `id`, `content` and `references` as mapped by the task."""
    places = count()

    def make(number: int, fields: Fields, where: str) -> Fields:
        place = next(places)
        return {"id": number, **mapping.map(fields, where), **context_of(place, fields)}

    return source.mapped(make)


def _filters(path: Path, listed: Any) -> tuple[OutputFilter, ...]:
    """Return the steps of the only filter of `filter_list`."""
    if listed is None:
        return ()
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        raise UserError(f"{path}: 'filter_list' must have one filter: keep the one whose score counts")
    steps = listed[0].get("filter")
    if not isinstance(steps, list) or not steps:
        raise UserError(f"{path}: 'filter_list' needs a list of steps under 'filter'")
    return tuple(make_filter(step, f"{path}: filter_list") for step in steps)
