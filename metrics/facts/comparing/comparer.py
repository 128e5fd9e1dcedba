"""How far two groups of segments contradict each other, each seen within its whole answer."""

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
from holdfast.metrics.facts.comparing.replacing import REPLACED, replaced
from holdfast.metrics.facts.comparing.roles import swapped_roles
from holdfast.metrics.facts.reading.answer import Answer
from holdfast.metrics.facts.reading.event_order import turned_sequel
from holdfast.metrics.facts.reading.fact_types import NO_CONFLICT, Conflict, Facts
from holdfast.metrics.facts.reading.quantity import Quantity
from holdfast.metrics.facts.reading.segment_facts import facts_of

if TYPE_CHECKING:
    from holdfast.metrics.parsing import Parse

_ROLES = 0.95
"""The cost of agent and patient changed round."""

SAID_ELSEWHERE = Conflict(0.85, "")
"""The cost of two segments of which one is said nearly word by word by another segment."""

_OTHER, _SAME = 0.3, 0.6
"""Shares of common words under which segments say different things, and from which on they say the same."""

_ONE_SIDED = (0.0, 0.15, 0.36, 0.52, 0.64, 0.72, 0.78)
"""The cost of content words that only one side has, by how many more it has than the other lacks."""

_LESS_SURE = 0.75
"""The weight of such words in a language of which few words are known to stand for each other."""

_WHOLE, _WHOLE_COST = 0.6, 0.85
"""A segment of whose content this share is nowhere in the other answer costs at least so much."""


@dataclass(frozen=True)
class Comparer:
    """What compares groups of segments of two answers.

    `compare((0, 1), (2,))` says how far the first two segments of the clean answer, taken as one, contradict the third
    of the perturbed one. A fact that one side lacks has merely moved where it stands elsewhere in the other answer.
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
        return found if self.before.parse is None else _worse(found, _turned(mine, its, self.before, self.after))

    def unlike(self, ours: Sequence[int], theirs: Sequence[int]) -> float:
        """The share of content words that have no counterpart, in [0, 1]; 0 where all are the same, or synonyms."""
        mine, its = self.before.joined(ours), self.after.joined(theirs)
        found = difference(mine, its)
        most = max(len(mine.keys), len(its.keys))
        return max(len(found.lost), len(found.gained)) / most if most else 0.0

    @cached_property
    def said_elsewhere(self) -> list[list[bool]] | None:
        """Pairs of segments (m, n) of which one is said in another segment, nearly word by word, and not here; None
        where no segment is."""
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
    """The share of what the shorter of two segments says that both say; nothing, where one says a single word."""
    if one.isdisjoint(other):
        return 0.0
    least = min(len(one), len(other))
    return len(one & other) / least if least > 1 else 0.0


def comparer(clean: Sequence[str], perturbed: Sequence[str], *parses: Parse | None) -> Comparer:
    """What compares the segments of two answers, with what a trained pipeline read in either, if one did.

    >>> compare = comparer(["Anna paid.", "Ben left at 5."], ["Ben left at 6.", "Anna paid."])
    >>> compare((1,), (0,)).reason, compare((0,), (1,)).reason
    ('number 5 -> 6', '')
    """
    sides = (tuple(clean), tuple(perturbed))
    languages = segment_languages(*sides)
    return Comparer(*map(_answer, sides, languages, parses or (None, None)))


@lru_cache(maxsize=1 << 12)
def _answer(texts: tuple[str, ...], languages: tuple[str, ...], parse: Parse | None) -> Answer:
    """One answer; remembered, as a clean one meets all its variants."""
    return Answer([*map(facts_of, texts, languages)], parse, lexicon_language(languages[0]) if languages else "en")


def conflict(clean: Facts, perturbed: Facts) -> Conflict:
    """How far two segments contradict each other, without more of the answers they stand in.

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
    """Whether the content of one of several segments is nowhere in the other answer, and nothing stands for it."""
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
        worst = _worse(worst, replaced(ours, theirs, found))
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
    """The quantities that one of two groups of segments alone has, of either, and their conflict; remembered, as
    `_logic_conflict` is."""
    mine, its = unmatched(ours.quantities, theirs.quantities), unmatched(theirs.quantities, ours.quantities)
    if _sign_in_words(mine, its, difference(ours, theirs), ours.language):
        return (), (), NO_CONFLICT
    return mine, its, number_conflict(mine, its)


@lru_cache(maxsize=1 << 16)
def _logic_conflict(ours: Facts, theirs: Facts) -> Conflict:
    """What two groups of segments contradict each other in, wherever they stand: roles, negations, quantifiers, doubts;
    remembered, as most segments meet again in another variant."""
    found = difference(ours, theirs)
    pair = swapped_roles(ours, theirs, found)
    worst = affirmed = polarity_conflict(ours, theirs, found, pair is not None)
    if pair and all(kind == "pronoun" for _, _, kind in found.opposites):
        who, whom = (ours.forms.get(key, key) for key in pair)
        worst = _worse(worst, Conflict(_ROLES, f"roles {who} <-> {whom}"))
    elif turned := turned_sequel(ours, theirs):
        worst = _worse(
            worst, Conflict(_ROLES, f"order {_first_word(ours, turned.first)} <-> {_first_word(ours, turned.then)}")
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
    """The word of these that comes first."""
    return next(facts.forms.get(term.key, term.key) for term in facts.order if term.key in keys)


def _turned(ours: Facts, theirs: Facts, before: Answer, after: Answer) -> Conflict:
    """Whether a parser finds that one of two segments has an action's agent and patient the other way round."""
    actions, others = (side.parse.actions if side.parse else frozenset() for side in (before, after))
    for action in sorted(actions - others):
        verb, agent, patient = action
        if (verb, patient, agent) in others - actions and {*action} <= ours.keys and {*action} <= theirs.keys:
            return Conflict(_ROLES, f"roles {ours.forms.get(agent, agent)} <-> {ours.forms.get(patient, patient)}")
    return NO_CONFLICT


def _worse(one: Conflict, other: Conflict) -> Conflict:
    return other if other.cost > one.cost else one


def _sign_in_words(mine: Sequence[Quantity], its: Sequence[Quantity], found: Difference, language: str) -> bool:
    """Whether all that two sides' numbers differ in is a sign that the words may bear: grew by -3%, fell by 3%."""
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
    """Content that one side has and the other answer has nowhere."""
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
