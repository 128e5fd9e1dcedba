"""Add the fluency of answers to their scores."""

from collections.abc import Sequence

from holdfast.harness.execute.scoring import Row, Score, Scored
from holdfast.harness.plan.fluency import FLUENCY, FluencyJudge


def graded(score: Score, judge: FluencyJudge) -> Score:
    """Return a function that scores like `score`, and adds the judge's grade where it gives one."""

    def with_grades(rows: Sequence[Row]) -> list[Scored]:
        scored = score(rows)
        for each, grade in zip(scored, judge.grade([row.output for row in rows]), strict=True):
            if grade is not None:
                each.scores[FLUENCY] = grade
        return scored

    return with_grades
