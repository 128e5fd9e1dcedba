"""Ask the judge of a run about answers before they are scored."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from holdfast.harness.execute.scoring import Row, Score, Scored
from holdfast.harness.plan.judges.answer_judge import AnswerJudge
from holdfast.metrics.scores.judged import GRADE, VERDICT


def judged(score: Score, judge: AnswerJudge) -> Score:
    """Return a function that scores like `score`, with what the judge says in the metadata of its rows."""

    def with_judgements(rows: Sequence[Row]) -> list[Scored]:
        found: list[dict[str, Any]] = [{} for _ in rows]
        for metric, key, ask in (("policy_judge", VERDICT, judge.verdicts), ("judge", GRADE, judge.grades)):
            places = [i for i, row in enumerate(rows) if metric in row.metrics]
            if places:
                said = ask([_texts(rows[i]) for i in places])
                for i, each in zip(places, said, strict=True):
                    found[i][key] = each
        return score(
            [
                replace(row, metadata={**row.metadata, **more}) if more else row
                for row, more in zip(rows, found, strict=True)
            ]
        )

    return with_judgements


def _texts(row: Row) -> dict[str, str]:
    return {"prompt": row.asked, "answer": row.output, "rubric": row.rubric}
