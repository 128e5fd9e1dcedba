"""Fluency of answers, from 1 to 5, by a judge model with a rubric."""

import re
import warnings
from collections.abc import Sequence

from holdfast.errors import UserError
from holdfast.harness.plan.asked_model import AskedModel, parse_model
from holdfast.harness.plan.side_model import find_side_model

FLUENCY = "fluency"
"""The name of the score."""

FLAG = "--fluency"
JUDGE = "judge"
CACHE = "results/fluency.jsonl"

PROMPT = (
    "How fluent is the text below, in the language or the mixture of languages that it is written in? Judge grammar, "
    "word choice and spelling, not whether it is true.\n"
    "5: as a native speaker would write it\n"
    "4: fluent, with a small slip\n"
    "3: understandable, but clearly not how one would say it\n"
    "2: hard to understand\n"
    "1: not a text in any language\n"
    "Answer with one digit.\n\nText: {text}\nFluency:"
)
"""The rubric."""

_LONGEST = 8
_GRADE = re.compile(r"\W*([1-5])(?![.,]?\d)")
"""A reply that begins with a grade."""


class FluencyJudge:
    """Grades texts.

    Args:
        argument: The value of the flag: `judge,pretrained=DIR` or `judge,backend=api,model=NAME,...`.

    Raises:
        UserError: If it names no judge, or no model that is there.
    """

    def __init__(self, argument: str) -> None:
        self._asked = AskedModel(*parse_model(_model_of(argument), FLAG, CACHE), PROMPT.format_map, _LONGEST, FLAG)

    def grade(self, texts: Sequence[str]) -> list[float | None]:
        """Return the grade of each text, from 1 to 5; None for an empty text, and where the judge gives no grade."""
        distinct = list(dict.fromkeys(text for text in texts if text.strip()))
        replies = dict(zip(distinct, self._asked.replies([{"text": text} for text in distinct]), strict=True))
        found = {text: _GRADE.match(reply) for text, reply in replies.items()}
        if unclear := [replies[text] for text, each in found.items() if not each]:
            warnings.warn(
                f"{FLAG}: {len(unclear)} of {len(distinct)} replies are not a grade from 1 to 5, so these answers have "
                f"none; the first is {unclear[0]!r}",
                stacklevel=2,
            )
        return [float(each[1]) if (each := found.get(text)) else None for text in texts]


def check_fluency(argument: str) -> None:
    """Raise UserError unless the flag names a judge whose model is there."""
    find_side_model(parse_model(_model_of(argument), FLAG, CACHE)[0], FLAG)


def digest_of_fluency(argument: str) -> str:
    """Return the digest of the judge's model."""
    return find_side_model(parse_model(_model_of(argument), FLAG, CACHE)[0], FLAG).digest


def _model_of(argument: str) -> str:
    kind, _, model = argument.partition(",")
    if kind != JUDGE:
        raise UserError(
            f"{FLAG}: '{kind}' is not supported: use judge,pretrained=DIR or judge,backend=api,model=NAME,..."
        )
    return model
