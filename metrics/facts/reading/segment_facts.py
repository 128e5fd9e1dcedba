"""Reads the facts of a segment in one pass over its tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from holdfast.language.detection import language_of
from holdfast.language.english_verbs import auxiliary_of
from holdfast.language.lexicon_tables import abbreviations, known_names
from holdfast.language.stems import stem
from holdfast.metrics.facts.reading.fact_collector import FactCollector
from holdfast.metrics.facts.reading.fact_types import Facts, Literal
from holdfast.metrics.facts.reading.phrases import phrase_at
from holdfast.metrics.facts.reading.quantities import read_quantities
from holdfast.metrics.facts.reading.quantity import Quantity, format_number
from holdfast.metrics.facts.reading.tokens import Token
from holdfast.metrics.facts.reading.word_roles import TITLE_WORDS, TITLES, word_of

_SHORT_WORDS = frozenset("no ca ed st us it la ad co est fig ref min art para pt ch pp".split())
"""Abbreviations that are also words; they count only with a full stop."""
_OPENING = frozenset('.!?।:\n"“(-–—…')
_NOT_A_NAME = frozenset("i i'm i'll i've i'd ok am pm tv yes no".split())

_HEADLINE = 0.8
"""The share of capitalised words from which a text is a headline."""

_AGAINST = frozenset({"-", "–", "—", ":", "to"})
"""Tokens between the numbers of a score or ratio."""


def facts_of(text: str, language: str = "") -> Facts:
    """Read the facts of a segment.

    A capitalised word is a name unless it opens a sentence; there it is a name only if it is a common given name or
    place, or if "'s" or another name follows.

    Args:
        text: The segment.
        language: Its language code; detected if empty.

    >>> facts = facts_of("Then Anna paid €4.5 million, not two.")
    >>> sorted(facts.numbers), sorted(facts.names), facts.negations
    (['2', '4500000 euros'], ['anna'], 1)
    """
    return _facts_of(text, language or language_of(text))


@lru_cache(maxsize=1 << 15)
def _facts_of(text: str, language: str) -> Facts:
    return _Reader(text, language).read()


def is_headline(tokens: Sequence[str]) -> bool:
    """Return whether nearly all words are capitalised, so that capitals don't tell names: "Miami Clinches the Title".

    >>> is_headline("Court Strikes Down the Death Penalty".split()), is_headline("Then Anna met Carla in town".split())
    (True, False)
    """
    words = [token for token in tokens if len(token) > 3 and token.isalpha()]
    return len(words) > 3 and sum(map(str.istitle, words)) >= _HEADLINE * len(words)


class _Reader(FactCollector):
    """Reads the tokens of a segment, and decides which words are names, abbreviations and contractions."""

    def __init__(self, text: str, language: str) -> None:
        super().__init__(text, language)
        self.known = known_names(language)
        self.names: set[str] = set()
        self.words: set[str] = set()
        self.literals: list[Literal] = []
        self.emoji: list[Literal] = []
        self._without_capitals = False
        self._nouns_capitalised = self.rules.capitalised_nouns or is_headline([token.text for token in self.tokens])

    def read(self) -> Facts:
        found, used = read_quantities(self.tokens, self.language)
        begins = dict(found)
        shouting = self.text.isupper() and len(self.tokens) > 3
        self._without_capitals = self.text == self.text.lower()
        language, known, words, add_term = self.language, self.known, self.words, self.add_term
        for at, token in enumerate(self.tokens):
            text, lower, kind = token
            self._at = at
            if at in used:
                if at in begins:
                    add_term(begins[at].key, "number", begins[at].form)
            elif kind == "word":
                words.add(lower)
                word = word_of(lower, language)
                if word.opens_phrase and (phrase := phrase_at(self.tokens, at, used, language)):
                    self._read_phrase(*phrase, used)
                elif len(text) == 1 and self._is_choice(at):
                    self.names.add(lower)
                    add_term(lower, "name", text)
                elif not word.plain or text != lower or (self._without_capitals and lower in known):
                    self._read_word(at, token, shouting)
                elif word.simple:
                    add_term(word.key, "word", text)
                elif not word.inert:
                    self.apply(word, lower, text)
            elif kind == "mark":
                self.add_mark(text)
            elif kind == "emoji":
                self.emoji.append(Literal(kind, lower, text))
            else:
                self.literals.append(Literal(kind, lower, text))
                self.add_term(lower, "word", text)
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
            markers=frozenset(self.markers),
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
        )

    def _read_phrase(self, meaning: str, places: Sequence[int], used: set[int]) -> None:
        """Record a phrase as the word that it means, and mark its tokens as used."""
        used.update(places)
        self.words.update(self.tokens[place].lower for place in places)
        if meaning and word_of(meaning, self.language).content and self._is_capitalised(places):
            self.names.add(meaning)
            self.add_term(stem(meaning, self.language), "name", self._text_of(places))
        elif meaning:
            self.add_word(meaning, self._text_of(places))

    def _text_of(self, places: Sequence[int]) -> str:
        return " ".join(self.tokens[place].text for place in places)

    def _is_capitalised(self, places: Sequence[int]) -> bool:
        """Return whether a phrase is a name, judging by its capitals: Estados Unidos; aux Nations unies."""
        capitals = [self.tokens[place].text[0].isupper() for place in places if self.tokens[place].kind == "word"]
        before = self.tokens[places[0] - 1] if places[0] else None
        opens = before is None or (before.kind == "mark" and before.text in _OPENING)
        return capitals[0] and (all(capitals) or not (opens or self._nouns_capitalised))

    def _scores(self, found: list[tuple[int, Quantity]], used: set[int]) -> Iterator[tuple[str, str]]:
        """Yield pairs of numbers that a single mark or "to" separates."""
        for (_, one), (at, other) in pairwise(sorted(found, key=lambda item: item[0])):
            bound = at - 1 not in used and at - 2 in used and self.tokens[at - 1].lower in _AGAINST
            if bound and one.kind == other.kind == "number":
                yield format_number(one.count), format_number(other.count)

    def _read_word(self, at: int, token: Token, shouting: bool) -> None:
        """Record a name, an abbreviation, a contraction, or any other word."""
        text, lower = token.text, token.lower
        if lower.endswith("n't"):
            if verb := auxiliary_of(lower):
                self.add_word(verb, text)
            self.negate()
            return
        text, lower = self._without_clitic(text, lower)
        if lower.endswith("."):
            text, lower = text.replace(".", ""), lower.replace(".", "")
        if self._read_abbreviation(at, text, lower, shouting):
            return
        if lower in TITLES and (lower not in TITLE_WORDS or self._next(at)[:1].isupper()):
            return
        if text[0].isupper() and not shouting and lower not in _NOT_A_NAME:
            self._read_capitalised(at, text, lower)
        else:
            if self._without_capitals and lower in self.known:
                self.names.add(lower)
            self.add_word(lower, text)

    def _without_clitic(self, text: str, lower: str) -> tuple[str, str]:
        """Cut 's, 're, 'll, ... off a word, as written and in lower case; record the "will" of an English 'll."""
        head, apostrophe, tail = lower.partition("'")
        if not apostrophe:
            return text, lower
        if tail == "ll" and self.language == "en":
            self.add_word("will", text)
        if (len(head) > 1 or head == "i") and (tail in ("s", "re", "ve", "ll", "d", "m", "") or len(head) > 2):
            return text[: len(head)], head
        return text, lower

    def _read_abbreviation(self, at: int, text: str, lower: str, shouting: bool) -> bool:
        """Record the words that an abbreviation stands for; return whether the word is one."""
        short = abbreviations()
        if text in short and sum(map(str.isupper, text)) > 1 and not shouting:
            for word in short[text]:
                if word_of(word, self.language).content:
                    self.add_term(stem(word), "name", text)
            self.names.add(lower)
            self.forms[lower] = text
            return True
        named = text[0].isupper() and lower in self.known
        dotted = self._next(at) == "." or not (named or lower in _SHORT_WORDS)
        if lower in short and dotted and (lower != "no" or self._precedes_number(at)):
            for word in short[lower]:
                self.add_word(word, text)
            return True
        return False

    def _read_capitalised(self, at: int, text: str, lower: str) -> None:
        """Record a capitalised word as a name or as a common word."""
        before = self.tokens[at - 1] if at else None
        opens = before is None or (before.kind == "mark" and before.text in _OPENING)
        if opens and before is not None and before.text == "." and at > 1 and self.tokens[at - 2].lower in TITLES:
            opens = False
        word = word_of(lower, self.language)
        if (
            "small" in word.jobs
            or "not" in word.jobs
            or word.level is not None
            or (self._nouns_capitalised and not self._is_proper_noun(at, text, lower))
        ):
            self.add_word(lower, text)
        elif not opens or (text.isupper() and len(text) > 1) or lower in self.known or self._introduces_name(at):
            self.names.add(lower)
            self.add_term(word.key, "name", text)
        else:
            self.add_word(lower, text)

    def _is_choice(self, at: int) -> bool:
        """Return whether a letter names one of several options: (B), answer: B, or B by itself."""
        before, after = self.tokens[at - 1].lower if at else "", self._next(at)
        alone = all(token.kind == "mark" for token in (*self.tokens[:at], *self.tokens[at + 1 :]))
        return alone or before == ":" or (before == "(" and after == ")")

    def _is_proper_noun(self, at: int, text: str, lower: str) -> bool:
        """Return whether a word is a name in a language that capitalises all nouns.

        It is if it is a known name or an acronym, or a place without an article.
        """
        placed = at > 0 and "place" in word_of(self.tokens[at - 1].lower, self.language).jobs
        return lower in self.known or (text.isupper() and len(text) > 1) or placed

    def _introduces_name(self, at: int) -> bool:
        """Return whether a word has "'s", or another name follows it."""
        if self.tokens[at].lower.endswith("'s"):
            return True
        following = self.tokens[at + 1 : at + 3]
        if following and following[0].lower == "and":
            following = following[1:]
        return any(token.text[0].isupper() and token.lower not in _NOT_A_NAME for token in following[:1])

    def _next(self, at: int) -> str:
        return self.tokens[at + 1].text if at + 1 < len(self.tokens) else ""

    def _precedes_number(self, at: int) -> bool:
        """Return whether a number follows, as in "No. 5"."""
        return any(token.kind == "number" for token in self.tokens[at + 1 : at + 3])
