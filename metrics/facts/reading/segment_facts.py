"""Reading the facts off a segment: one pass over its tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from holdfast.language.answer_languages import language_of
from holdfast.language.lexicon_tables import abbreviations, grammar, known_names
from holdfast.language.stems import stem
from holdfast.metrics.facts.reading.event_order import Turn, sequels
from holdfast.metrics.facts.reading.fact_types import CASES, OWNER, Facts, Literal, Modal, Term
from holdfast.metrics.facts.reading.phrases import phrase_at
from holdfast.metrics.facts.reading.quantities import read_quantities
from holdfast.metrics.facts.reading.quantity import Quantity, plain
from holdfast.metrics.facts.reading.terms import last_phrase
from holdfast.metrics.facts.reading.tokens import Token, tokens_of
from holdfast.metrics.facts.reading.word_roles import TITLE_WORDS, TITLES, TURNS, Word, word_of

_CHOICES = frozenset("option answer plan choice type team group vitamin grade section part :".split())
"""What stands before a letter that names one of several."""
_SHORT_WORDS = frozenset("no ca ed st us it la ad co est fig ref min art para pt ch pp".split())
"""Abbreviations that are words, too: they count with a full stop."""
_OPENING = frozenset('.!?।:\n"“(-–—…')
_NOT_A_NAME = frozenset("i i'm i'll i've i'd ok am pm tv yes no".split())


_AGAINST = frozenset({"-", "–", "—", ":", "to"})
"""What stands between the numbers of a score or a ratio."""

_PREPOSITION = frozenset({"place", "before", "after"})


def facts_of(text: str, language: str = "") -> Facts:
    """Read numbers, dates, names, negations, quantifiers and words off a segment, in its language or the one given.

    A capitalised word is a name, except where it opens a sentence, as any word may: there it is one if it is a common
    given name or place, or if "'s" or another name follows.

    >>> facts = facts_of("Then Anna paid €4.5 million, not two.")
    >>> sorted(facts.numbers), sorted(facts.names), facts.negations
    (['2', '4500000 euros'], ['anna'], 1)
    """
    return _facts_of(text, language or language_of(text))


@lru_cache(maxsize=1 << 15)
def _facts_of(text: str, language: str) -> Facts:
    return _Reading(text, language).facts()


class _Reading:
    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self.language = language
        self.rules = grammar(language)
        self.known = known_names(language)
        self.tokens = tokens_of(text, language)
        self.names: set[str] = set()
        self.words: set[str] = set()
        self.keys: set[str] = set()
        self.marked: list[str] = []
        self.negated: set[str] = set()
        self.reach: set[str] = set()
        self.negations = 0
        self.levels: list[tuple[float, str]] = []
        self.order: list[Term] = []
        self.passive: set[str] = set()
        self.forms: dict[str, str] = {}
        self.literals: list[Literal] = []
        self.emoji: list[Literal] = []
        self.modals: list[Modal] = []
        self.only = 0
        self._exclusive = self._just_now = False
        self._denied = False
        self._pending = False
        self._headless = 0
        self.cases: dict[str, str] = {}
        self._case = ""
        self._at = 0
        self._last = ""
        self._comma = False
        self._commas: list[int] = []
        self._turns: list[Turn] = []
        self._without_capitals = False

    def facts(self) -> Facts:
        found, used = read_quantities(self.tokens, self.language)
        begins = dict(found)
        shouting = self.text.isupper() and len(self.tokens) > 3
        self._without_capitals = self.text == self.text.lower()
        for at, token in enumerate(self.tokens):
            text, lower, kind = token
            self._at = at
            if at in used:
                if at in begins:
                    self._add(begins[at].key, "number", begins[at].form)
            elif kind == "word":
                self.words.add(lower)
                word = word_of(lower, self.language)
                if word.opens_phrase and (found_phrase := phrase_at(self.tokens, at, used, self.language)):
                    meaning, places = found_phrase
                    used.update(places)
                    self.words.update(self.tokens[place].lower for place in places)
                    if meaning and word_of(meaning, self.language).content and self._names_something(places):
                        self.names.add(meaning)
                        self._add(stem(meaning, self.language), "name", self._text_of(places))
                    elif meaning:
                        self._word(meaning, self._text_of(places))
                elif not word.plain or text != lower or (self._without_capitals and lower in self.known):
                    self._written(at, token, shouting)
                elif not word.inert:
                    self._act(word, lower, text)
            elif kind == "mark":
                self._mark(text)
            elif kind == "emoji":
                self.emoji.append(Literal(kind, lower, text))
            else:
                self.literals.append(Literal(kind, lower, text))
                self._add(lower, "word", text)
        quantities = tuple(quantity for _, quantity in found)
        return Facts(
            text=self.text,
            language=self.language,
            numbers=frozenset(quantity.key for quantity in quantities),
            quantities=quantities,
            names=frozenset(self.names),
            name_keys=frozenset([stem(name, self.language) for name in self.names]),
            words=frozenset(self.words),
            keys=frozenset(self.keys),
            markers=frozenset(self.marked),
            marked=tuple(self.marked),
            negations=self.negations,
            negated=frozenset(self.negated),
            reach=frozenset(self.reach | self.negated),
            levels=tuple(self.levels),
            order=tuple(self.order),
            passive=frozenset(self.passive),
            forms=self.forms,
            literals=tuple(self.literals),
            emoji=tuple(self.emoji),
            modals=tuple(self.modals),
            only=self.only + self._exclusive,
            scores=frozenset(self._scores(found, used)),
            cases=self.cases,
            sequels=tuple(sequels(self.order, self._turns, self._commas)),
        )

    def _text_of(self, places: Sequence[int]) -> str:
        return " ".join(self.tokens[place].text for place in places)

    def _names_something(self, places: Sequence[int]) -> bool:
        """Whether a phrase is a name, by its capitals: Estados Unidos; aux Nations unies."""
        capitals = [self.tokens[place].text[0].isupper() for place in places if self.tokens[place].kind == "word"]
        before = self.tokens[places[0] - 1] if places[0] else None
        opens = before is None or (before.kind == "mark" and before.text in _OPENING)
        return capitals[0] and (all(capitals) or not (opens or self.rules.capitalised_nouns))

    def _scores(self, found: list[tuple[int, Quantity]], used: set[int]) -> Iterator[tuple[str, str]]:
        """The numbers that one mark, or "to", sets against the next."""
        for (_, one), (at, other) in pairwise(sorted(found, key=lambda item: item[0])):
            bound = at - 1 not in used and at - 2 in used and self.tokens[at - 1].lower in _AGAINST
            if bound and one.kind == other.kind == "number":
                yield plain(one.count), plain(other.count)

    def _written(self, at: int, token: Token, shouting: bool) -> None:
        """A word as it stands: a name, an abbreviation, a contraction, or just a word."""
        text, lower = token.text, token.lower
        if "'" in lower:
            if lower.endswith("n't"):
                self._word({"ca": "can", "wo": "will"}.get(lower[:-3], lower[:-3]), text)
                self._negate()
                return
            head, _, tail = lower.partition("'")
            if tail == "ll" and self.language == "en":
                self._word("will", text)
            if (len(head) > 1 or head == "i") and (tail in ("s", "re", "ve", "ll", "d", "m", "") or len(head) > 2):
                text, lower = text[: len(head)], head
        if lower.endswith("."):
            text, lower = text.replace(".", ""), lower.replace(".", "")
        short = abbreviations()
        if text in short and sum(map(str.isupper, text)) > 1 and not shouting:
            for word in short[text]:
                if word_of(word, self.language).content:
                    self._add(stem(word), "name", text)
            self.names.add(lower)
            self.forms[lower] = text
            return
        named = text[0].isupper() and lower in self.known
        dotted = self._next(at) == "." or not (named or lower in _SHORT_WORDS)
        if lower in short and dotted and (lower != "no" or self._after_next(at)):
            for word in short[lower]:
                self._word(word, text)
            return
        if lower in TITLES and (lower not in TITLE_WORDS or self._next(at)[:1].isupper()):
            return
        if text[0].isupper() and not shouting and lower not in _NOT_A_NAME:
            self._capitalised(at, text, lower)
            if token.lower.endswith("'s"):
                self._own()
        else:
            if self._without_capitals and lower in self.known:
                self.names.add(lower)
            self._word(lower, text)

    def _capitalised(self, at: int, text: str, lower: str) -> None:
        before = self.tokens[at - 1] if at else None
        opens = before is None or (before.kind == "mark" and before.text in _OPENING)
        if opens and before is not None and before.text == "." and at > 1 and self.tokens[at - 2].lower in TITLES:
            opens = False
        word = word_of(lower, self.language)
        if len(text) == 1 and self._is_choice(at):
            self.names.add(lower)
            self._add(word.key, "name", text)
        elif (
            "small" in word.jobs
            or "not" in word.jobs
            or word.level is not None
            or (self.rules.capitalised_nouns and not self._is_proper(at, text, lower))
        ):
            self._word(lower, text)
        elif not opens or (text.isupper() and len(text) > 1) or lower in self.known or self._named_anyway(at):
            self.names.add(lower)
            self._add(word.key, "name", text)
        else:
            self._word(lower, text)

    def _own(self) -> None:
        """The name that ends here owns what follows; its first word bears the mark."""
        at = len(self.order)
        while at and self.order[at - 1].kind == "name" and (at == len(self.order) or not self.order[at - 1].listed):
            at -= 1
        if at < len(self.order) and not self.order[at].mark:
            self.order[at] = self.order[at]._replace(mark=OWNER)

    def _is_choice(self, at: int) -> bool:
        """Whether a letter names one of several: (B), option B, answer: B, or B by itself."""
        before, after = self.tokens[at - 1].lower if at else "", self._next(at)
        return len(self.tokens) == 1 or before in _CHOICES or (before == "(" and after == ")")

    def _is_proper(self, at: int, text: str, lower: str) -> bool:
        """Whether a noun is a name where all nouns have a capital: a known one, or a place without an article."""
        placed = at > 0 and "place" in word_of(self.tokens[at - 1].lower, self.language).jobs
        return lower in self.known or (text.isupper() and len(text) > 1) or placed

    def _named_anyway(self, at: int) -> bool:
        if self.tokens[at].lower.endswith("'s"):
            return True
        following = self.tokens[at + 1 : at + 3]
        if following and following[0].lower == "and":
            following = following[1:]
        return any(token.text[0].isupper() and token.lower not in _NOT_A_NAME for token in following[:1])

    def _word(self, lower: str, text: str) -> None:
        self._act(word_of(lower, self.language), lower, text)

    def _act(self, word: Word, lower: str, text: str) -> None:
        if word.level is not None and not (lower == "no" and not self.order and self._last == ""):
            self.levels.append((word.level, lower))
        if word.modal:
            self.modals.append(Modal(text.lower(), word.modal))
            self._headless += 1
        if "only" in word.jobs:
            self._exclusive = self._just_now = True
        elif self._just_now:
            self._exclusive, self._just_now = "one" not in word.jobs, False  # only a draft: no more than that
        if "not" in word.jobs:
            self._negate()
            return
        if turn := word.jobs & TURNS:
            self._turns.append(Turn(len(self.order), "later" in turn, "earlier" in turn or "before" in word.jobs))
        if word.marker:
            self.marked.append(word.key)
            if self._denied:
                self.reach.add(word.key)
            self.forms.setdefault(word.key, text)
        if word.content:
            self._add(word.key, "word", text)
        elif "filler" in word.jobs:
            self._filler(word.key)
        elif "before" in word.jobs or "after" in word.jobs:
            if "agent" in word.jobs and self.order and self._behind_participle():
                self.passive.update(last_phrase(self.order), self._participle())
            self.order.append(Term(lower, "relation"))
        elif case := word.jobs & CASES:
            self._article(case)
        if "conjunction" in word.jobs:
            self._comma = True
            self._denied = self._denied and "or" in word.jobs
            if self.order:
                self.order[-1] = self.order[-1]._replace(listed=True)

    def _behind_participle(self) -> bool:
        """Whether the last word may be a participle, by its ending."""
        return self.tokens[self._at - 1].lower.endswith(self.rules.participles)

    def _participle(self) -> Iterator[str]:
        """The word behind "was", before "by": was given a blanket by."""
        begun, known = False, {term.key for term in self.order}
        for token in self.tokens[max(self._at - 6, 0) : self._at]:
            word = word_of(token.lower, self.language)
            if begun and word.key in known:
                yield word.key
            begun = "passive" in word.jobs

    def _article(self, cases: frozenset[str]) -> None:
        """An article shows the case of the noun that follows, if it is that of one case. Behind a comma, or behind a
        preposition there, it may stand for the noun before, which then has a part in two clauses and shows no case."""
        before = [token.lower for token in self.tokens[max(self._at - 2, 0) : self._at]]
        if before[-1:] == [","] or (before[:1] == [","] and _PREPOSITION & word_of(before[-1], self.language).jobs):
            self._case = ""
            self.cases.pop(self._last, None)
        else:
            self._case = next(iter(cases)) if len(cases) == 1 else ""

    def _filler(self, key: str) -> None:
        if self._headless:
            self._head_modals(key)
        if self._pending:
            self.negated.add(key)
            self._pending = False
        else:
            self.order.append(Term(key, "word", self._comma))

    def _add(self, key: str, kind: str, form: str) -> None:
        before = self.order[-1] if self.order else None
        self.order.append(Term(key, kind, self._comma, before.key if before and before.kind == "relation" else ""))
        self._comma = False
        self.forms.setdefault(key, form)
        if kind != "number":
            self.keys.add(key)
            self.only += self._exclusive
            if self._headless:
                self._head_modals(key)
        if self._denied:
            self.reach.add(key)
        self._exclusive = self._just_now = False
        if self._pending:
            self.negated.add(key)
            self._pending = False
        if self._case and form[0].isupper():
            self.cases.setdefault(key, self._case)
            self._case = ""
        self._last = key

    def _head_modals(self, key: str) -> None:
        first = len(self.modals) - self._headless
        self.modals[first:] = [modal._replace(head=key) for modal in self.modals[first:]]
        self._headless = 0

    def _negate(self) -> None:
        """It bears on the first content word that follows it in its clause; in Hindi on the one before it, too."""
        if self.rules.concord and self._denied:
            return
        self._denied = True
        self.negations += 1
        if self.language.startswith("hi") and self._last:
            self.negated.add(self._last)
        self._pending = True

    def _mark(self, mark: str) -> None:
        if mark in ",;，、；\n":
            self._comma = True
            self._commas.append(len(self.order))
            if self.order:
                self.order[-1] = self.order[-1]._replace(listed=True)
        if mark in ",;.!?，。！？；":
            self._pending = self._denied = False
            self._case = ""

    def _next(self, at: int) -> str:
        return self.tokens[at + 1].text if at + 1 < len(self.tokens) else ""

    def _after_next(self, at: int) -> bool:
        """Whether a number follows, as in "No. 5"."""
        return any(token.kind == "number" for token in self.tokens[at + 1 : at + 3])
