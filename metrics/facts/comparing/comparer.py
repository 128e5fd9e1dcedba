"""Compares two groups of segments for contradictions, in the context of their whole answers."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from holdfast.language.answer_languages import segment_languages
from holdfast.language.lexicon_tables import lexicon_language
from holdfast.language.meanings import contrasting_stems
from holdfast.metrics.facts.comparing.copies import emoji_conflict, literal_conflict
from holdfast.metrics.facts.comparing.difference import Difference, difference
from holdfast.metrics.facts.comparing.logic import is_balanced, polarity_conflict, quantifier_conflict
from holdfast.metrics.facts.comparing.modality import exclusivity_conflict, modality_conflict, tense_conflict
from holdfast.metrics.facts.comparing.naming import name_conflict
from holdfast.metrics.facts.comparing.numbers import number_conflict, swapped_numbers, unmatched
from holdfast.metrics.facts.comparing.replacing import REPLACED, replacement_conflict
from holdfast.metrics.facts.comparing.roles import swapped_roles
from holdfast.metrics.facts.reading.answer import Answer
from holdfast.metrics.facts.reading.event_order import reversed_sequel
from holdfast.metrics.facts.reading.fact_types import NO_CONFLICT, Conflict, Facts
from holdfast.metrics.facts.reading.quantity import Quantity
from holdfast.metrics.facts.reading.segment_facts import facts_of

if TYPE_CHECKING:
    from holdfast.metrics.parsing import Parse

_ROLES = 0.95
"""The cost of swapped agent and patient."""

SAID_ELSEWHERE = Conflict(0.85, "")
"""The conflict of two segments if another segment repeats one of them almost word for word."""

_OTHER, _SAME = 0.3, 0.6
"""Shares of common words below which segments say different things, and from which they say the same."""

_ONE_SIDED = (0.0, 0.15, 0.36, 0.52, 0.64, 0.72, 0.78)
"""The cost of content words that only one side has, by their number in excess of those that only the other has."""

_LESS_SURE = 0.75
"""The factor of that cost in languages for which few synonyms are listed."""

_WHOLE, _WHOLE_COST = 0.6, 0.85
"""If this share of a segment's content is nowhere in the other answer, the cost is at least the second number."""


@dataclass(frozen=True)
class Comparer:
    """Compares groups of segments of a clean and a perturbed answer.

    `compare((0, 1), (2,))` returns how far the first two segments of the clean answer, taken together, contradict the
    third segment of the perturbed answer. A missing fact doesn't count if it is elsewhere in the other answer.
    """

    before: Answer
    after: Answer

    def __call__(self, ours: Sequence[int], theirs: Sequence[int]) -> Conflict:
        if len(ours) == len(theirs) == 1:
            [i], [j] = ours, theirs
            if self.said_elsewhere is not None and self.said_elsewhere[i][j]:
                return SAID_ELSEWHERE
            mine, its = self.before.segments[i], self.after.segments[j]
        else:
            mine, its = self.before.joined(ours), self.after.joined(theirs)
        found = _conflict(mine, its, self.before, self.after)
        if len(ours) > 1 and _is_left_out(self.before, ours, its, self.after):
            found = _worse(found, Conflict(_WHOLE_COST, "omission of the segment"))
        if len(theirs) > 1 and _is_left_out(self.after, theirs, mine, self.before):
            found = _worse(found, Conflict(_WHOLE_COST, "addition of the segment"))
        return found if self.before.parse is None else _worse(found, _parsed_swap(mine, its, self.before, self.after))

    def unlike(self, ours: Sequence[int], theirs: Sequence[int]) -> float:
        """Return the share of content words without a counterpart, in [0, 1]; 0 if all are equal or synonyms."""
        mine, its = self.before.joined(ours), self.after.joined(theirs)
        found = difference(mine, its)
        most = max(len(mine.keys), len(its.keys))
        return max(len(found.lost), len(found.gained)) / most if most else 0.0

    @cached_property
    def said_elsewhere(self) -> list[list[bool]] | None:
        """For each pair of segments (m, n), whether the two differ but another segment repeats one of them almost word
        for word; None if there is no such repetition."""
        rows = [[_overlap(one, other) for other in self.after.said] for one in self.before.said]
        tops, tips = [*map(max, rows)], [*map(max, zip(*rows, strict=True))]
        if max(tops) < _SAME:
            return None
        return [
            [
                (here < _OTHER and max(top, tip) >= _SAME) or (here < _SAME and max(top, tip) == 1.0)
                for here, tip in zip(row, tips, strict=True)
            ]
            for row, top in zip(rows, tops, strict=True)
        ]


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of the smaller set that is in both; 0 if one set has a single element."""
    if one.isdisjoint(other):
        return 0.0
    least = min(len(one), len(other))
    return len(one & other) / least if least > 1 else 0.0


def comparer(clean: Sequence[str], perturbed: Sequence[str], *parses: Parse | None) -> Comparer:
    """Build the comparer of two answers.

    Args:
        clean: The segments of the clean answer.
        perturbed: The segments of the perturbed answer.
        parses: The parses of both answers by a trained pipeline, or nothing.

    >>> compare = comparer(["Anna paid.", "Ben left at 5."], ["Ben left at 6.", "Anna paid."])
    >>> compare((1,), (0,)).reason, compare((0,), (1,)).reason
    ('number 5 -> 6', '')
    """
    sides = (tuple(clean), tuple(perturbed))
    languages = segment_languages(*sides)
    return Comparer(*map(_answer, sides, languages, parses or (None, None)))


@lru_cache(maxsize=1 << 12)
def _answer(texts: tuple[str, ...], languages: tuple[str, ...], parse: Parse | None) -> Answer:
    """Read one answer; cached, since a clean answer is compared with many variants."""
    return Answer([*map(facts_of, texts, languages)], parse, lexicon_language(languages[0]) if languages else "en")


def conflict(clean: Facts, perturbed: Facts) -> Conflict:
    """Compare two segments without the context of their answers.

    >>> conflict(facts_of("Meet at 12."), facts_of("Meet at 21."))
    Conflict(cost=1.0, reason='number 12 -> 21')
    >>> conflict(facts_of("It costs 20 euros."), facts_of("It costs 20 dollars.")).reason
    'unit 20 euros -> 20 dollars'
    >>> conflict(facts_of("We meet Anna."), facts_of("We meet Anya."))
    Conflict(cost=0.3, reason='name Anna -> Anya (edit distance 1: spelling)')
    """
    ours, theirs = (Answer((facts,), None, lexicon_language(facts.language)) for facts in (clean, perturbed))
    return _conflict(clean, perturbed, ours, theirs)


def _is_left_out(answer: Answer, group: Sequence[int], others: Facts, other: Answer) -> bool:
    """Return whether the content of any of several segments is missing from the other answer, without replacement."""
    instead = len(answer.missing(others.keys))
    for keys in (answer.segments[i].keys for i in group):
        lost = len(other.missing(keys))
        if lost > 1 and lost >= _WHOLE * len(keys) and lost > 2 * instead:
            return True
    return False


def _conflict(ours: Facts, theirs: Facts, before: Answer, after: Answer) -> Conflict:
    if ours is theirs:
        return NO_CONFLICT
    found = difference(ours, theirs)
    lost, gained = after.missing(found.lost), before.missing(found.gained)
    names = ours.name_keys | theirs.name_keys
    moved = len(found.lost - lost - names) + len(found.gained - gained - names)
    mine, its, worst = _unmatched(ours, theirs)
    if worst.cost and moved > 1 and not (any(map(after.lacks, mine)) or any(map(before.lacks, its))):
        worst = NO_CONFLICT
    if worst.cost < 1:
        worst = _worse(worst, name_conflict(ours, theirs, before, after, found, lost, gained, moved))
    if worst.cost < 1:
        worst = _worse(worst, _logic_conflict(ours, theirs))
    if worst.cost < REPLACED and lost and gained and not moved:
        worst = _worse(worst, replacement_conflict(ours, theirs, found))
    if worst.cost < 1 and (ours.literals or theirs.literals):
        worst = _worse(worst, literal_conflict(ours, theirs, found, before.text, after.text))
    if worst.cost < 1 and ours.emoji and theirs.emoji:
        worst = _worse(worst, emoji_conflict(ours, theirs))
    if worst.cost < 1:
        mine = [one for one in mine if not (one.loose or one.implied) and after.lacks(one)]
        its = [one for one in its if not (one.loose or one.implied) and before.lacks(one)]
        worst = _worse(worst, _one_sided(ours, theirs, lost, gained, mine, its))
    return worst


@lru_cache(maxsize=1 << 16)
def _unmatched(ours: Facts, theirs: Facts) -> tuple[Sequence[Quantity], Sequence[Quantity], Conflict]:
    """Return the quantities that only one side has, for either side, and their conflict; cached like
    `_logic_conflict`."""
    mine, its = unmatched(ours.quantities, theirs.quantities), unmatched(theirs.quantities, ours.quantities)
    if _sign_in_words(mine, its, difference(ours, theirs), ours.language):
        return (), (), NO_CONFLICT
    return mine, its, number_conflict(mine, its)


@lru_cache(maxsize=1 << 16)
def _logic_conflict(ours: Facts, theirs: Facts) -> Conflict:
    """Compare what doesn't depend on the rest of the answers: roles, negations, quantifiers, modality; cached, since
    most segments recur in other variants."""
    found = difference(ours, theirs)
    pair = swapped_roles(ours, theirs, found)
    worst = affirmed = polarity_conflict(ours, theirs, found, pair is not None)
    if pair and all(kind == "pronoun" for _, _, kind in found.opposites):
        who, whom = (ours.forms.get(key, key) for key in pair)
        worst = _worse(worst, Conflict(_ROLES, f"roles {who} <-> {whom}"))
    elif sequel := reversed_sequel(ours, theirs):
        worst = _worse(
            worst, Conflict(_ROLES, f"order {_first_word(ours, sequel.first)} <-> {_first_word(ours, sequel.then)}")
        )
    elif swapped_numbers(ours, theirs):
        worst = _worse(worst, Conflict(0.9, "roles of numbers"))
    if ours.modals or theirs.modals:
        worst = _worse(worst, modality_conflict(ours, theirs, found))
    worst = _worse(worst, tense_conflict(ours, theirs, found))
    worst = _worse(worst, exclusivity_conflict(ours, theirs, found))
    balanced = is_balanced(ours, theirs, found, affirmed)
    return worst if balanced else _worse(worst, quantifier_conflict(ours, theirs, found))


def _first_word(facts: Facts, keys: Set[str]) -> str:
    """Return the form of the first term that has one of these keys."""
    return next(facts.forms.get(term.key, term.key) for term in facts.order if term.key in keys)


def _parsed_swap(ours: Facts, theirs: Facts, before: Answer, after: Answer) -> Conflict:
    """Return the conflict of an action whose agent and patient are swapped, according to the parses."""
    actions, others = (side.parse.actions if side.parse else frozenset() for side in (before, after))
    for action in sorted(actions - others):
        verb, agent, patient = action
        if (verb, patient, agent) in others - actions and {*action} <= ours.keys and {*action} <= theirs.keys:
            return Conflict(_ROLES, f"roles {ours.forms.get(agent, agent)} <-> {ours.forms.get(patient, patient)}")
    return NO_CONFLICT


def _worse(one: Conflict, other: Conflict) -> Conflict:
    return other if other.cost > one.cost else one


def _sign_in_words(mine: Sequence[Quantity], its: Sequence[Quantity], found: Difference, language: str) -> bool:
    """Return whether the numbers differ only in sign, and a word may express it instead: grew by -3%, fell by 3%."""
    if not mine or sorted((-one.value, one.unit) for one in mine) != sorted((one.value, one.unit) for one in its):
        return False
    if any(one.kind != "number" or not one.value for one in mine):
        return False
    above = found.gained if mine[0].value < 0 else found.lost
    return not contrasting_stems(lexicon_language(language)).isdisjoint(above)


def _one_sided(
    ours: Facts,
    theirs: Facts,
    lost: frozenset[str],
    gained: frozenset[str],
    mine: Sequence[Quantity],
    its: Sequence[Quantity],
) -> Conflict:
    """Return the conflict of content that one side has and that is nowhere in the other answer."""
    excess = len(lost) + 2 * len(mine) - len(gained) - 2 * len(its)
    if not excess:
        return NO_CONFLICT
    kind, facts, keys, numbers = ("omission", ours, lost, mine) if excess > 0 else ("addition", theirs, gained, its)
    replaced = min(len(lost), len(gained))
    cost = _ONE_SIDED[min(max(abs(excess) - replaced, 1), len(_ONE_SIDED) - 1)]
    if abs(excess) > 1 + replaced and abs(excess) >= _WHOLE * (len(facts.keys) + len(facts.quantities)):
        cost = max(cost, _WHOLE_COST)
    words = [facts.forms.get(term.key, term.key) for term in facts.order if term.key in keys]
    words += [one.form for one in numbers]
    cost *= 1.0 if lexicon_language(facts.language) == "en" else _LESS_SURE
    return Conflict(cost, f"{kind} of {' '.join(dict.fromkeys(words))}")
