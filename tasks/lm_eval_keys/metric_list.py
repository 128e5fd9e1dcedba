"""The metrics that a task file lists."""

import json
from pathlib import Path
from typing import Any

from holdfast.errors import UserError

_ACCURACY = "acc"
_MATCH = "exact_match"
_JUDGE = "judge"
_INSTEAD = {
    "acc_norm": "use acc: likelihoods are not divided by lengths",
    "acc_mutual_info": "use acc",
    "perplexity": "answers are scored, not the likelihood of texts",
    "word_perplexity": "answers are scored, not the likelihood of texts",
    "byte_perplexity": "answers are scored, not the likelihood of texts",
    "bits_per_byte": "answers are scored, not the likelihood of texts",
}
_IGNORED = ("ignore_case", "ignore_punctuation")
"""What lm-eval's exact_match may ignore, and ours always does."""


def read_metrics(path: Path, listed: Any, *, has_choices: bool) -> tuple[str, ...]:
    """Return the names of the metrics; lm-eval's `acc` of choices is `exact_match` here.

    Args:
        path: The task file, for error messages.
        listed: `metric_list`: names, or mappings with `metric`.
        has_choices: Whether the task is multiple choice.

    Raises:
        UserError: If an entry is no metric, or has a setting that ours doesn't have.
    """
    entries = listed if isinstance(listed, list) else [listed]
    names = []
    for entry in entries:
        given = entry if isinstance(entry, dict) else {"metric": entry}
        name = str(given.get("metric") or "")
        if not name:
            raise UserError(
                f"{path}: 'metric_list' must be a list of metrics, such as [exact_match, rouge], got "
                f"{json.dumps(entries, default=str)}"
            )
        if name in _INSTEAD:
            raise UserError(f"{path}: lm-eval's metric '{name}' is not supported: {_INSTEAD[name]}")
        if name == _ACCURACY and not has_choices:
            raise UserError(f"{path}: 'acc' is the accuracy of choices: add doc_to_choice, or use exact_match")
        _check_settings(path, name, given)
        names.append(_MATCH if name == _ACCURACY else name)
    return tuple(dict.fromkeys(names))


def read_rubric(path: Path, listed: Any) -> str:
    """Return what the metric `judge` asks its model to grade; "" without that metric.

    Raises:
        UserError: If the metric has no rubric, or two.
    """
    entries = listed if isinstance(listed, list) else [listed]
    given = [entry for entry in entries if (entry.get("metric") if isinstance(entry, dict) else entry) == _JUDGE]
    rubrics = [str(entry.get("rubric") or "").strip() if isinstance(entry, dict) else "" for entry in given]
    if len(rubrics) > 1 or rubrics == [""]:
        many = "can be listed once" if rubrics[1:] else 'needs a rubric, as in {metric: judge, rubric: "Is it polite?"}'
        raise UserError(f"{path}: metric '{_JUDGE}' {many}")
    return rubrics[0] if rubrics else ""


def _check_settings(path: Path, name: str, given: dict[str, Any]) -> None:
    for key, value in given.items():
        where = f"{path}: metric '{name}'"
        if key == "aggregation" and value != "mean":
            raise UserError(f"{where}: aggregation must be mean, got {value!r}")
        if key == "higher_is_better" and not isinstance(value, bool):
            raise UserError(f"{where}: higher_is_better must be true or false, got {value!r}")
        if key in _IGNORED and not (name == _MATCH and value is True):
            raise UserError(f"{where}: '{key}' can only be true, and only for {_MATCH}, which always ignores that")
        if key not in ("metric", "aggregation", "higher_is_better", *_IGNORED) and (name, key) != (_JUDGE, "rubric"):
            raise UserError(f"{where}: its setting '{key}' is not supported: remove it")
