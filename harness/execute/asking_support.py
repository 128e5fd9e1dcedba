"""Ask an NLI model which sentences of answers their source supports, before the answers are scored."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.harness.execute.scoring import Row, Score, Scored
from holdfast.harness.plan.faithful_tasks import BY_MODEL
from holdfast.metrics.metric import CONTENT
from holdfast.metrics.scores.faithfulness import SUPPORT, Entails, support


def supported(score: Score, entails: Entails) -> Score:
    """Return a function that scores like `score`, with the support of each sentence in the metadata of its rows."""

    def with_support(rows: Sequence[Row]) -> list[Scored]:
        asked = [i for i, row in enumerate(rows) if BY_MODEL in row.metrics]
        found = support([rows[i].output for i in asked], [rows[i].metadata[CONTENT] for i in asked], entails)
        told = dict(zip(asked, found, strict=True))
        return score(
            [
                replace(row, metadata={**row.metadata, SUPPORT: told[i]}) if i in told else row
                for i, row in enumerate(rows)
            ]
        )

    return with_support
