"""The comparer `judge`: a language model of any backend says whether one text follows from another, cached on disk."""

import re
import warnings
from collections.abc import Sequence

from holdfast.harness.plan.asked_model import AskedModel, parse_model
from holdfast.harness.plan.side_model import find_side_model
from holdfast.metrics.comparers.entailment import ByEntailment, Entailment, Pair
from holdfast.metrics.comparers.segment_comparer import comparer

JUDGE = "judge"
FLAG = "--comparer judge"

PROMPT = (
    "Does the claim follow from the text? Answer with one word: yes if the text says what the claim says, no if the "
    "text and the claim contradict each other, unknown otherwise.\n\nText: {premise}\nClaim: {hypothesis}\nAnswer:"
)
"""The model's instructions, sent in its chat template if it has one."""

CACHE = "results/judgements.jsonl"
_LONGEST = 16
_ANSWER = re.compile(r"\W*(yes|no|unknown)\b", re.IGNORECASE)
"""A reply that begins with one of the words."""

_UNKNOWN = Entailment(0.0, 0.0)
_MEANINGS = {"yes": Entailment(1.0, 0.0), "no": Entailment(0.0, 1.0), "unknown": _UNKNOWN}


def check_judge(argument: str) -> None:
    """Raise UserError unless the arguments name a model that is there."""
    find_side_model(parse_model(argument, FLAG, CACHE)[0], FLAG)


def digest_of_judge(argument: str) -> str:
    """Return the digest of the judge's model."""
    return find_side_model(parse_model(argument, FLAG, CACHE)[0], FLAG).digest


@comparer(JUDGE, check_judge)
def judge(argument: str) -> ByEntailment:
    """Entailment and contradiction by the words of a language model: judge,pretrained=DIR or judge,backend=api,..."""
    check_judge(argument)
    return ByEntailment(_Model(AskedModel(*parse_model(argument, FLAG, CACHE), PROMPT.format_map, _LONGEST, FLAG)))


class _Model:
    """Answers (premise, hypothesis) pairs by a model's replies."""

    def __init__(self, asked: AskedModel) -> None:
        self._asked = asked

    def __call__(self, pairs: Sequence[Pair]) -> list[Entailment]:
        replies = self._asked.replies([{"premise": premise, "hypothesis": hypothesis} for premise, hypothesis in pairs])
        found = [_ANSWER.match(reply) for reply in replies]
        if unclear := [reply for reply, each in zip(replies, found, strict=True) if not each]:
            warnings.warn(
                f"{FLAG}: {len(unclear)} of {len(pairs)} replies are neither yes, no nor unknown and count as unknown, "
                f"the first is {unclear[0]!r}; use a model that answers with the word alone",
                stacklevel=2,
            )
        return [_MEANINGS[each[1].lower()] if each else _UNKNOWN for each in found]
