"""Which keys a task file may have, and what to do about those of lm-eval that are not supported."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.suggestions import did_you_mean

OURS = ("doc_to_content", "doc_to_id", "doc_to_group", "doc_to_item", "encoding")
SUPPORTED = (
    *("task", "dataset_path", "dataset_name", "dataset_kwargs", "test_split", "validation_split", "training_split"),
    *("fewshot_split", "output_type", "doc_to_text", "doc_to_target", "doc_to_choice", "description"),
    *("target_delimiter", "fewshot_delimiter", "num_fewshot", "fewshot_config", "filter_list", "metric_list"),
    *("generation_kwargs", "repeats"),
)
WITHOUT_EFFECT = ("tag", "task_alias", "metadata", "should_decontaminate", "doc_to_decontamination_query")
"""Keys that change no prompt and no score of a single task."""

_INSTEAD = {
    "process_docs": "change the rows beforehand, or use a template",
    "process_results": "write a metric (holdfast.sample_metric)",
    "custom_dataset": "save the rows as JSONL",
    "group": "list the tasks with --tasks",
    "unsafe_code": "write a metric that runs the code in a sandbox of your own",
    "gen_prefix": "add it to the end of doc_to_text",
    "use_prompt": "write the prompt into doc_to_text",
    "doc_to_image": "only text is supported",
    "doc_to_audio": "only text is supported",
}
GENERATION = ("max_gen_toks", "until", "do_sample", "temperature")
_OUTPUT_TYPES = ("generate_until", "multiple_choice")


def check_keys(path: Path, settings: Mapping[str, Any]) -> None:
    """Raise UserError for a key that is unknown, or of lm-eval and not supported, or whose value is not."""
    known = (*SUPPORTED, *WITHOUT_EFFECT, *OURS)
    for key in settings:
        if key in _INSTEAD:
            raise UserError(f"{path}: lm-eval's key '{key}' is not supported: {_INSTEAD[key]}")
        if key not in known:
            raise UserError(f"{path}: unknown key '{key}'{did_you_mean(key, known)}")
    output_type = settings.get("output_type", _OUTPUT_TYPES[0])
    if output_type not in _OUTPUT_TYPES:
        raise UserError(f"{path}: output_type '{output_type}' is not supported: use {' or '.join(_OUTPUT_TYPES)}")
    if output_type == "multiple_choice" and "doc_to_choice" not in settings:
        raise UserError(f"{path}: output_type multiple_choice needs 'doc_to_choice'")
    if settings.get("repeats", 1) != 1:
        raise UserError(f"{path}: 'repeats' must be 1: answers are greedy; --repeats draws several variants")
    for key in ("description", "target_delimiter", "fewshot_delimiter", "encoding"):
        if not isinstance(settings.get(key, ""), str):
            raise UserError(f"{path}: '{key}' must be a string, got {settings[key]!r}")
    shots = settings.get("num_fewshot", 0)
    if isinstance(shots, bool) or not isinstance(shots, int) or shots < 0:
        raise UserError(f"{path}: 'num_fewshot' must be an integer >= 0, got {shots!r}")
    _check_fewshot_config(path, settings.get("fewshot_config"))


def check_generation(path: Path, generation: Any) -> None:
    """Raise UserError if `generation_kwargs` is not a mapping of supported settings."""
    if not isinstance(generation, dict):
        raise UserError(f"{path}: 'generation_kwargs' must be a mapping with {' and '.join(GENERATION[:2])}")
    for key in generation:
        if key not in GENERATION:
            raise UserError(f"{path}: unknown key '{key}'{did_you_mean(key, GENERATION)}")
    if generation.get("do_sample", False) or generation.get("temperature", 0) not in (0, 0.0):
        raise UserError(f"{path}: answers of a task are greedy: sample with --gen_kwargs temperature=...")
    longest, until = generation.get("max_gen_toks", 64), generation.get("until", [])
    if isinstance(longest, bool) or not isinstance(longest, int) or longest < 1:
        raise UserError(f"{path}: 'max_gen_toks' must be an integer >= 1, got {longest!r}")
    stops = [until] if isinstance(until, str) else until
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        raise UserError(f"{path}: 'until' must be a non-empty string or a list of them, got {until!r}")


def _check_fewshot_config(path: Path, config: Any) -> None:
    if config is None:
        return
    samplers = ("default", "first_n")
    if not isinstance(config, dict) or {*config} - {"sampler"} or config.get("sampler", "default") not in samplers:
        raise UserError(f"{path}: 'fewshot_config' may only have a sampler, {' or '.join(samplers)}, got {config!r}")
