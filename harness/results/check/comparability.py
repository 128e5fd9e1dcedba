"""May two sides be compared? Only if they were asked the same, in the same way, and judged by the same measure."""

from typing import TYPE_CHECKING

from holdfast.errors import UserError
from holdfast.harness.results.check.answers import PROMPTS, Answers

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["task", "sample", "perturbation", "severity", "repeat"]
"""What identifies a prompt: answers are paired by it."""

_SHOWN = 40


class NotComparable(UserError):
    """Two sides differ in more than the adapter."""

    status = 4


def check_comparable(old: Answers, new: Answers) -> None:
    """Check the conditions of both sides.

    Raises:
        NotComparable: If they differ in tasks, data, prompts, settings, encoder or versions; the message says in which.
    """
    if old.tasks.keys() != new.tasks.keys():
        only = [f"'{name}'" for name in [*old.tasks, *new.tasks] if name not in old.tasks or name not in new.tasks]
        raise NotComparable(f"{old.source} and {new.source} have different tasks: only one has {', '.join(only)}")
    for name, task in old.tasks.items():
        if task.headline != new.tasks[name].headline:
            raise NotComparable(
                f"{old.source} and {new.source} can't be compared: the metric that stands for task '{name}' is "
                f"{task.headline} in one and {new.tasks[name].headline} in the other"
            )
    for name in {**old.conditions, **new.conditions}:
        one, other = (side.conditions.get(name) for side in (old, new))
        if one != other:
            verb = "differ" if name == PROMPTS else "differs"
            values = f" ({_shown(one)} and {_shown(other)})" if not _is_digest(one) else ""
            why = _why(old, new) if name == PROMPTS else ""
            raise NotComparable(
                f"{old.source} and {new.source} can't be compared: {name} {verb}{values}{why}; run both with the same "
                "settings and versions"
            )


def pair(old: Answers, new: Answers) -> "pd.DataFrame":
    """Return a row for each prompt that both sides answered, with the columns of the sides ending in _old and _new.

    Raises:
        NotComparable: If no prompt was answered by both, or a prompt differs in its text.
    """
    shared = new.table.drop(columns=["groups", "item"])  # both sides have the same samples
    pairs = old.table.merge(shared, on=KEYS, suffixes=("_old", "_new"), validate="one_to_one")
    if pairs.empty:
        raise NotComparable(f"{old.source} and {new.source} have no sample in common")
    unlike = pairs[pairs["prompt_old"] != pairs["prompt_new"]]
    if len(unlike) and old.mitigation == new.mitigation:
        first = unlike.iloc[0]
        raise NotComparable(
            f"{old.source} and {new.source} were not asked the same: {len(unlike)} of {len(pairs)} prompts differ, "
            f"such as {first['task']}/{first['sample']} ({first['perturbation']})"
        )
    return pairs


def _why(old: Answers, new: Answers) -> str:
    """Return the settings by which the prompts differ, as in " (limit: 20 and 40)"."""
    unlike = [
        f"{name}: {_shown(value)} and {_shown(new.origin.get(name))}"
        for name, value in old.origin.items()
        if value != new.origin.get(name)
    ]
    return f" ({'; '.join(unlike)})" if unlike else ""


def _shown(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) >= _SHOWN and " " not in value
