"""The comparer `judge`: a language model of any backend says whether one text follows from another, cached on disk."""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.backends import Backend, Request
from holdfast.harness.backends.backend import Settings
from holdfast.harness.plan.side_model import find_side_model, load_side_model
from holdfast.harness.store.config import Scalar, parse_pairs
from holdfast.harness.store.reply_cache import ReplyCache, key_of
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
_SETTINGS = Settings(max_new_tokens=16)
_ANSWER = re.compile(r"\W*(yes|no|unknown)\b", re.IGNORECASE)
"""A reply that begins with one of the words."""

_UNKNOWN = Entailment(0.0, 0.0)
_MEANINGS = {"yes": Entailment(1.0, 0.0), "no": Entailment(0.0, 1.0), "unknown": _UNKNOWN}


def check_judge(argument: str) -> None:
    """Raise UserError unless the arguments name a model that is there."""
    find_side_model(_split(argument)[0], FLAG)


def digest_of_judge(argument: str) -> str:
    """Return the digest of the judge's model."""
    return find_side_model(_split(argument)[0], FLAG).digest


@comparer(JUDGE, check_judge)
def judge(argument: str) -> ByEntailment:
    """Entailment and contradiction by the words of a language model: judge,pretrained=DIR or judge,backend=api,..."""
    check_judge(argument)
    return ByEntailment(_Model(*_split(argument)))


class _Model:
    """Answers (premise, hypothesis) pairs from the cache, and asks the model, loaded when needed, about the others."""

    def __init__(self, arguments: dict[str, Scalar], cache: Path) -> None:
        self._arguments = arguments
        self._digest = find_side_model(arguments, FLAG).digest
        self._cache = ReplyCache(cache, "reply")
        self._loaded: tuple[Backend, str] | None = None

    def __call__(self, pairs: Sequence[Pair]) -> list[Entailment]:
        keys = [key_of(sorted(self._arguments.items()), self._digest, PROMPT, pair) for pair in pairs]
        missing = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in self._cache.known}
        if missing:
            self._ask(missing)
        found = [_ANSWER.match(self._cache.known[key]) for key in keys]
        if unclear := [self._cache.known[key] for key, each in zip(keys, found, strict=True) if not each]:
            warnings.warn(
                f"{FLAG}: {len(unclear)} of {len(pairs)} replies are neither yes, no nor unknown and count as unknown, "
                f"the first is {unclear[0]!r}; use a model that answers with the word alone",
                stacklevel=2,
            )
        return [_MEANINGS[each[1].lower()] if each else _UNKNOWN for each in found]

    def _ask(self, missing: dict[str, Pair]) -> None:
        self._loaded = self._loaded or load_side_model(self._arguments, FLAG)
        engine, name = self._loaded
        requests = [
            Request(key, name, PROMPT.format(premise=premise, hypothesis=hypothesis), _SETTINGS)
            for key, (premise, hypothesis) in missing.items()
        ]
        for batch in engine.generate(requests):
            for answer in batch:
                premise, hypothesis = missing[answer.key]
                self._cache.add(answer.key, {"premise": premise, "hypothesis": hypothesis}, answer.output)


def _split(argument: str) -> tuple[dict[str, Scalar], Path]:
    """Return the arguments of the model, and the file of the cache."""
    arguments = parse_pairs(argument, FLAG)
    if not arguments:
        raise UserError(f"{FLAG} needs a model: judge,pretrained=DIR or judge,backend=api,model=NAME,base_url=URL")
    return arguments, Path(str(arguments.pop("cache", CACHE)))
