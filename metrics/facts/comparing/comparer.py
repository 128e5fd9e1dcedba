"""Compares two groups of segments, in the context of their whole answers, by every detector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from itertools import chain
from operator import add
from typing import TYPE_CHECKING

from holdfast.language.detection import segment_languages
from holdfast.language.lexicon_tables import lexicon_language
from holdfast.metrics.facts.comparing.bounds import bound_findings
from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.comparing.copies import emoji_findings, literal_findings
from holdfast.metrics.facts.comparing.exchanges import exchange_findings
from holdfast.metrics.facts.comparing.linking import linking_findings
from holdfast.metrics.facts.comparing.logic import logic_findings
from holdfast.metrics.facts.comparing.modality import modality_findings
from holdfast.metrics.facts.comparing.naming import name_findings
from holdfast.metrics.facts.comparing.numbers import number_findings
from holdfast.metrics.facts.comparing.places import (
    kept_share,
    moved_findings,
    rewritten_findings,
    substitution_findings,
)
from holdfast.metrics.facts.comparing.roles import swapped_roles
from holdfast.metrics.facts.comparing.swapped_spans import swapped_span_findings
from holdfast.metrics.facts.comparing.symbols import symbol_findings
from holdfast.metrics.facts.comparing.wording import coverage_findings, unlike_findings, vector_findings
from holdfast.metrics.facts.reading.answer import Answer
from holdfast.metrics.facts.reading.fact_types import Facts, Finding
from holdfast.metrics.facts.reading.segment_facts import facts_of
from holdfast.metrics.facts.reading.weighed_words import Worded, count_words

if TYPE_CHECKING:
    from holdfast.metrics.parsing import Parse

Group = Sequence[int]
"""Indices of segments of one answer."""

_POWERS = {"word": 6, "name": 4, "roles": 2, "exchanged": 2, "moved": 0}
"""How fast a conflict loses its force as the rest of the words differ, too, where that is not linear."""


@dataclass(frozen=True)
class Comparer:
    """Compares groups of segments of a clean and a perturbed answer.

    `compare((0, 1), (2,))` returns how the first two segments of the clean answer, taken together, differ from the
    third segment of the perturbed answer. A missing fact doesn't count if it is elsewhere in the other answer.

    Attributes:
        before: The clean answer.
        after: The perturbed answer.
        words: The words of each segment with their vectors, for either answer; None without an encoder that has them.
    """

    before: Answer
    after: Answer
    words: tuple[Sequence[Worded], Sequence[Worded]] | None = None

    def __call__(self, ours: Group, theirs: Group) -> tuple[Finding, ...]:
        mine, its = self.before.joined(ours), self.after.joined(theirs)
        if mine is its:
            return ()
        words = None if self.words is None else (_joined(self.words[0], ours), _joined(self.words[1], theirs))
        segments = [self.before.segments[i] for i in ours], [self.after.segments[j] for j in theirs]
        pair = Compared(mine, its, self.before, self.after, segments, words)
        found = chain(
            _conflicts(pair, self._parsed(mine, its)),
            coverage_findings(pair),
            self._wording(ours, theirs, pair),
            rewritten_findings(pair),
        )
        return tuple(each for each in found if each.strength)

    def _parsed(self, mine: Facts, its: Facts) -> Iterator[Finding]:
        return iter(()) if self.before.parse is None else _parsed_swap(mine, its, self.before, self.after)

    def _wording(self, ours: Group, theirs: Group, pair: Compared) -> Iterator[Finding]:
        if self.words is None:
            return unlike_findings(pair)
        if not (share := pair.differing_share):
            return iter(())
        before, after = self._all_words
        sides = [self.words[0][i] for i in ours], [self.words[1][j] for j in theirs]
        return (each._replace(strength=each.strength * share) for each in vector_findings(*sides, before, after))

    @cached_property
    def _all_words(self) -> tuple[Worded, Worded]:
        mine, its = self.words or ((), ())
        return _joined(mine, range(len(mine))), _joined(its, range(len(its)))


def comparer(
    clean: Sequence[str],
    perturbed: Sequence[str],
    parses: tuple[Parse | None, Parse | None] = (None, None),
    words: tuple[Sequence[Worded], Sequence[Worded]] | None = None,
) -> Comparer:
    """Build the comparer of two answers.

    Args:
        clean: The segments of the clean answer.
        perturbed: The segments of the perturbed answer.
        parses: The parses of both answers by a trained pipeline, if one was used.
        words: The words of each segment with their vectors, for either answer, if the encoder has them.

    >>> compare = comparer(["Anna paid.", "Ben left at 5."], ["Ben left at 6.", "Anna paid."])
    >>> [found.kind for found in compare((1,), (0,))], compare((0,), (1,))
    (['number', 'rewritten'], ())
    """
    sides = (tuple(clean), tuple(perturbed))
    languages = segment_languages(*sides)
    before, after = map(_answer, sides, languages, parses)
    return Comparer(before, after, words)


def findings(
    ours: Facts, theirs: Facts, before: Answer | None = None, after: Answer | None = None
) -> tuple[Finding, ...]:
    """Compare two groups of segments.

    Args:
        ours: The facts of the clean group.
        theirs: The facts of the perturbed group.
        before: The whole clean answer; the clean group if None.
        after: The whole perturbed answer; the perturbed group if None.

    >>> [found.reason for found in findings(facts_of("Meet at 12."), facts_of("Meet at 21."))]
    ['number 12 -> 21']
    >>> [found.reason for found in findings(facts_of("It costs 20 euros."), facts_of("It costs 20 dollars."))]
    ['unit 20 euros -> 20 dollars']
    >>> [found.kind for found in findings(facts_of("They met Quillfeather."), facts_of("They met Quilfeather."))]
    ['spelling']
    """
    if ours is theirs:
        return ()
    pair = Compared(ours, theirs, before or _alone(ours), after or _alone(theirs))
    found = (*_conflicts(pair), *coverage_findings(pair))
    return tuple(each for each in found if each.strength)


def _conflicts(pair: Compared, more: Iterable[Finding] = ()) -> Iterator[Finding]:
    """Yield all conflicts, less sure the more of the other words differ, too: what looks like one in a text that is
    worded differently all over is often said in another way."""
    for each in chain(_in_context(pair), _whatever_the_context(pair.ours, pair.theirs), more):
        words = max(sum(count_words(word) for word in side) for side in (each.clean, each.perturbed))
        sure = kept_share(pair.ours, pair.theirs, words) ** _POWERS.get(each.kind, 1)
        yield each._replace(strength=each.strength * sure)


def _in_context(pair: Compared) -> Iterator[Finding]:
    """Yield the conflicts that depend on the whole answers, or cost too little to be remembered."""
    yield from number_findings(pair)
    yield from name_findings(pair)
    yield from literal_findings(pair)
    yield from emoji_findings(pair)
    yield from symbol_findings(pair)
    yield from substitution_findings(pair)


@lru_cache(maxsize=1 << 16)
def _whatever_the_context(ours: Facts, theirs: Facts) -> tuple[Finding, ...]:
    """Return what doesn't depend on the rest of the answers; cached, since most segments recur in other variants."""
    pair = Compared(ours, theirs, _alone(ours), _alone(theirs))
    swapped = swapped_roles(ours, theirs, pair.found)
    roles = (
        chain(_roles(pair, swapped), exchange_findings(pair), swapped_span_findings(ours, theirs))
        if _only_pronouns_differ(pair)
        else ()
    )
    return (
        *logic_findings(pair, swapped=swapped is not None),
        *roles,
        *moved_findings(pair),
        *modality_findings(pair),
        *bound_findings(pair),
        *linking_findings(pair),
    )


def _only_pronouns_differ(pair: Compared) -> bool:
    """Return whether no opposites differ that the swapped arguments may make up for."""
    return all(kind == "pronoun" for _, _, kind in pair.found.opposites)


def _roles(pair: Compared, swapped: tuple[str, str] | None) -> Iterator[Finding]:
    """Yield two arguments that swapped places."""
    if swapped is None:
        return
    who, whom = (pair.ours.forms.get(key, key) for key in swapped)
    yield Finding("roles", 1.0, f"roles {who} <-> {whom}", (who, whom), (whom, who))


def _parsed_swap(ours: Facts, theirs: Facts, before: Answer, after: Answer) -> Iterator[Finding]:
    """Yield an action whose agent and patient are swapped, according to the parses."""
    actions, others = (side.parse.actions if side.parse else frozenset() for side in (before, after))
    for action in sorted(actions - others):
        verb, agent, patient = action
        if (verb, patient, agent) in others - actions and {*action} <= ours.keys and {*action} <= theirs.keys:
            who, whom = ours.forms.get(agent, agent), ours.forms.get(patient, patient)
            yield Finding("roles", 1.0, f"roles {who} <-> {whom}", (who, whom), (whom, who))
            return


@lru_cache(maxsize=1 << 12)
def _answer(texts: tuple[str, ...], languages: tuple[str, ...], parse: Parse | None) -> Answer:
    """Read one answer; cached, since a clean answer is compared with many variants."""
    return Answer([*map(facts_of, texts, languages)], parse, lexicon_language(languages[0]) if languages else "en")


@lru_cache(maxsize=1 << 12)
def _alone(facts: Facts) -> Answer:
    return Answer((facts,), None, lexicon_language(facts.language))


def _joined(words: Sequence[Worded], group: Sequence[int]) -> Worded:
    return reduce(add, (words[i] for i in group))
