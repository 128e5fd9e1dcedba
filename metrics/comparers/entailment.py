"""Judges segments by whether each follows from the other, asking a model only about the pairs that a plan uses."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from holdfast.metrics.comparers.segment_comparer import Answers, K

if TYPE_CHECKING:
    from holdfast.metrics.alignment import Group, Judge, Judgement

REMEMBERED = 200_000
"""The number of (premise, hypothesis) pairs whose answers are kept, the last used ones."""

_LIKELY = 0.5
"""The probability from which a difference is named as the reason: it is at least as likely as not."""

Pair = tuple[str, str]


class Entailment(NamedTuple):
    """The probabilities that a premise entails a hypothesis, and that it contradicts it."""

    entails: float
    contradicts: float


Entail = Callable[[Sequence[Pair]], Sequence[Entailment]]
"""Answers (premise, hypothesis) pairs, in order. An answer must not depend on the other pairs of the call."""


class ByEntailment:
    """Compares answers by a model of entailment, asked about each pair of texts once, in both directions.

    Judges don't know at first; `settle` asks for all that they lacked, in one batch over all answers.
    """

    reads_words = False

    def __init__(self, entail: Entail) -> None:
        self._entail = entail
        self._memory: OrderedDict[Pair, Entailment] = OrderedDict()

    def judge(self, answers: Answers) -> Judge:
        """Return what judges the segments of these two answers."""
        return _Judge(answers)

    def settle(self, judges: Mapping[K, Judge]) -> list[K]:
        """Ask the model what these judges lacked; return the keys of those that lacked something."""
        asking = {key: judge for key, judge in judges.items() if isinstance(judge, _Judge) and judge.lacking}
        lacking = dict.fromkeys(pair for judge in asking.values() for pair in judge.lacking)
        answered = self._answer(list(dict.fromkeys(each for pair in lacking for each in (pair, pair[::-1]))))
        for judge in asking.values():
            judge.learn({pair: _judged(answered[pair], answered[pair[::-1]]) for pair in judge.lacking})
        return list(asking)

    def _answer(self, pairs: Sequence[Pair]) -> dict[Pair, Entailment]:
        missing = [pair for pair in pairs if pair not in self._memory]
        found = dict(zip(missing, self._entail(missing), strict=True)) if missing else {}
        answered = {pair: found[pair] if pair in found else self._memory[pair] for pair in pairs}
        for pair, answer in answered.items():
            self._memory[pair] = answer
            self._memory.move_to_end(pair)
        while len(self._memory) > REMEMBERED:
            self._memory.popitem(last=False)
        return answered


class _Judge:
    """Judges the segments of two answers by what the model has answered so far."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._known: dict[Pair, Judgement] = {}
        self.lacking: dict[Pair, None] = {}

    def learn(self, found: Mapping[Pair, Judgement]) -> None:
        self._known.update(found)
        self.lacking.clear()

    def __call__(self, ours: Group, theirs: Group, distance: float) -> Judgement:
        """Return how far two groups of segments differ, or for now their semantic distance."""
        from holdfast.metrics.alignment import SAME, Judgement

        clean = " ".join(self._answers.clean[i] for i in ours)
        perturbed = " ".join(self._answers.perturbed[j] for j in theirs)
        if clean == perturbed:
            return SAME
        if (clean, perturbed) in self._known:
            return self._known[clean, perturbed]
        self.lacking[clean, perturbed] = None
        return Judgement(distance, distance, 0.0)


def _judged(forward: Entailment, backward: Entailment) -> Judgement:
    """Return the judgement from what the clean text entails of the perturbed one, and the reverse."""
    from holdfast.metrics.alignment import Judgement
    from holdfast.metrics.facts import Finding

    conflict = max(forward.contradicts, backward.contradicts)
    lost, added = 1.0 - backward.entails, 1.0 - forward.entails
    parts = {"contradiction": conflict, "omission": lost, "addition": added}
    found = tuple(Finding(kind, strength, kind) for kind, strength in parts.items() if strength > 0)
    # what is contradicted isn't entailed either, so a likely contradiction comes first
    worst = "contradiction" if conflict >= _LIKELY else max(parts, key=lambda kind: parts[kind])
    reason = worst if parts[worst] >= _LIKELY else ""
    return Judgement(max(conflict, lost, added), max(conflict, lost), conflict, lost, added, reason, found)
