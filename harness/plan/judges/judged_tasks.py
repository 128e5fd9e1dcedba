"""The tasks of a run with what its judge adds to them."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.errors import UserError
from holdfast.harness.plan.judges.answer_judge import FLAG, check_answer_judge
from holdfast.tasks import Task

_RULES, _BY_JUDGE, _BY_RUBRIC = "policy", "policy_judge", "judge"


def with_judge(tasks: Sequence[Task], argument: str | None) -> list[Task]:
    """Return tasks whose policy is judged by rules with the judge's verdict as a further metric.

    Args:
        tasks: The tasks.
        argument: The value of --judge; None without a judge.

    Raises:
        UserError: If the judge isn't there, is asked for nothing, or is needed and not named.
    """
    graded = [task for task in tasks if _BY_RUBRIC in task.metrics]
    for task in graded:
        if not task.rubric:
            raise UserError(
                f"task '{task.name}': the metric {_BY_RUBRIC} needs a rubric, as in metric_list: "
                '[{metric: judge, rubric: "Is the answer polite?"}]'
            )
    asked = [task for task in tasks if {_RULES, _BY_JUDGE, _BY_RUBRIC} & {*task.metrics}]
    if argument is None:
        if needed := next((task for task in asked if {_BY_JUDGE, _BY_RUBRIC} & {*task.metrics}), None):
            raise UserError(f"task '{needed.name}' is judged by a model: name it with {FLAG}, as in pretrained=DIR")
        return list(tasks)
    if not asked:
        raise UserError(f"{FLAG}: no task has the metric {_RULES} or {_BY_RUBRIC}: omit it")
    check_answer_judge(argument)
    return [
        replace(task, metrics=(*task.metrics, _BY_JUDGE))
        if _RULES in task.metrics and _BY_JUDGE not in task.metrics
        else task
        for task in tasks
    ]
