"""The tasks of a run with the faithfulness that a named model scores."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.errors import UserError
from holdfast.metrics.comparers.nli import check_nli
from holdfast.tasks import Task

FLAG = "--faithfulness"

BY_MODEL, _BY_RULE = "faithfulness", "source_facts"


def with_faithfulness(tasks: Sequence[Task], model: str | None) -> list[Task]:
    """Return tasks whose answers are compared with their source by rule with the model's view as a further metric.

    Args:
        tasks: The tasks.
        model: The value of --faithfulness; None without a model.

    Raises:
        UserError: If the model isn't there, is asked for nothing, or is needed and not named.
    """
    asked = [task for task in tasks if {BY_MODEL, _BY_RULE} & {*task.metrics}]
    if model is None:
        if needed := next((task for task in asked if BY_MODEL in task.metrics), None):
            raise UserError(
                f"task '{needed.name}' has the metric {BY_MODEL}, which needs an NLI model: {FLAG} NAME_OR_PATH"
            )
        return list(tasks)
    check_nli(model, FLAG)
    if not asked:
        raise UserError(f"{FLAG}: no task has the metric {_BY_RULE} or {BY_MODEL}: omit it")
    return [
        replace(task, metrics=(*task.metrics, BY_MODEL))
        if _BY_RULE in task.metrics and BY_MODEL not in task.metrics
        else task
        for task in tasks
    ]
