"""Collects facts while a segment is read: terms in order, negations, quantifiers, modality, exclusivity and cases."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.language.lexicon_tables import grammar
from holdfast.metrics.facts.reading.fact_types import CASES, Modal, Term
from holdfast.metrics.facts.reading.terms import last_phrase
from holdfast.metrics.facts.reading.tokens import Token, tokens_of
from holdfast.metrics.facts.reading.word_roles import PREPOSITION, Word, word_of

_OPENING = frozenset(':：("“')
"""Marks after which a word may stand by itself."""
_CLOSING = frozenset(',;:.!?。，！：；،؛؟।)"”\n–—')
"""Marks before which a word may stand by itself."""


class FactCollector:
    """The facts of a segment so far, and the state that decides how the next word is read.

    The public attributes become the fields of `Facts` of the same name.
    """

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self.language = language
        self.rules = grammar(language)
        self.tokens: list[Token] = tokens_of(text, language)
        self.keys: set[str] = set()
        self.markers: set[str] = set()
        self.negated: set[str] = set()
        self.reach: set[str] = set()
        self.negations = 0
        self.levels: list[tuple[float, str]] = []
        self.order: list[Term] = []
        self.passive: set[str] = set()
        self.forms: dict[str, str] = {}
        self.modals: list[Modal] = []
        self.only = 0
        self.cases: dict[str, str] = {}
        self._at = 0
        self._exclusive = self._just_now = False
        self._denied = False
        self._pending = False
        self._headless = 0
        self._case = ""
        self._last = ""
        self._comma = False
        self._links: tuple[str, ...] = ()

    def add_word(self, lower: str, text: str) -> None:
        """Record a word, given in lower case and as written."""
        self.apply(word_of(lower, self.language), lower, text)

    def apply(self, word: Word, lower: str, text: str) -> None:
        """Record everything that a word contributes.

        Args:
            word: The properties of the word.
            lower: The word in lower case.
            text: The word as written.
        """
        if "reply" in word.jobs and self._stands_alone():
            self.add_term(word.key, "word", text)
            return
        self._qualify(word, lower, text)
        if "not" in word.jobs:
            self.negate()
            return
        if word.marker:
            self.markers.add(word.key)
            if self._denied:
                self.reach.add(word.key)
            self.forms.setdefault(word.key, text)
        compounded = self._token_before() == "-"  # the "off" of "Sound-Off" is no preposition
        links = (*self._links, lower) if word.links and not compounded else ()
        self._append(word, lower, text)
        self._links = links or self._links
        if "conjunction" in word.jobs:
            self._comma = True
            self._denied = self._denied and "or" in word.jobs
            if self.order:
                self.order[-1] = self.order[-1]._replace(listed=True)

    def add_term(self, key: str, kind: str, form: str) -> None:
        """Append a content word, name or number.

        Args:
            key: Its stem or normalised value.
            kind: "word", "name" or "number".
            form: The term as written.
        """
        order = self.order
        mark = order[-1].key if order and order[-1].kind == "relation" else ""
        order.append(Term(key, kind, self._comma, mark, self._links))
        self._comma, self._links = False, ()
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

    def negate(self) -> None:
        """Record a negation of the next content word in its clause, and in Hindi also of the one before."""
        if self.rules.concord and self._denied:
            return
        self._denied = True
        self.negations += 1
        if self.language.startswith("hi") and self._last:
            self.negated.add(self._last)
        self._pending = True

    def add_mark(self, mark: str) -> None:
        """Record a punctuation mark."""
        if mark in ",;，、；\n":
            self._comma = True
            if self.order:
                self.order[-1] = self.order[-1]._replace(listed=True)
        if mark in ",;.!?，。！？；":
            self._pending = self._denied = False
            self._case = ""
        if mark in ",;.!?，。！？；-":
            self._links = ()

    def _stands_alone(self) -> bool:
        """Return whether the current word opens the segment, or what a colon introduces, and ends before a mark."""
        opens = self._at == 0 or self._token_before() in _OPENING
        return opens and (self._at + 1 == len(self.tokens) or self.tokens[self._at + 1].text in _CLOSING)

    def _token_before(self) -> str:
        return self.tokens[self._at - 1].text if self._at else ""

    def _qualify(self, word: Word, lower: str, text: str) -> None:
        """Record what a word says about quantity, certainty, obligation and exclusivity."""
        if word.level is not None and not (lower == "no" and not self.order and self._last == ""):
            self.levels.append((word.level, lower))
        if word.modal:
            self.modals.append(Modal(text.lower(), word.modal))
            self._headless += 1
        if "only" in word.jobs:
            self._exclusive = self._just_now = True
        elif self._just_now:
            self._exclusive, self._just_now = "one" not in word.jobs, False  # "only a draft" means no more than that

    def _append(self, word: Word, lower: str, text: str) -> None:
        """Append a word to the terms, or note the case that an article marks."""
        if word.content:
            self.add_term(word.key, "word", text)
        elif "filler" in word.jobs:
            self._add_filler(word.key)
        elif "before" in word.jobs or "after" in word.jobs:
            if "agent" in word.jobs and self.order and self._follows_participle():
                self.passive.update(last_phrase(self.order), self._participles())
            self.order.append(Term(lower, "relation"))
        elif case := word.jobs & CASES:
            self._note_case(case)

    def _follows_participle(self) -> bool:
        """Return whether the previous word may be a participle, by its ending."""
        return self.tokens[self._at - 1].lower.endswith(self.rules.participles)

    def _participles(self) -> Iterator[str]:
        """Yield the words after "was" and before "by", as in "was given a blanket by"."""
        begun, known = False, {term.key for term in self.order}
        for token in self.tokens[max(self._at - 6, 0) : self._at]:
            word = word_of(token.lower, self.language)
            if begun and word.key in known:
                yield word.key
            begun = "passive" in word.jobs

    def _note_case(self, cases: frozenset[str]) -> None:
        """Note the case of the next noun if its article is unambiguous.

        After a comma, or a comma and a preposition, it may be a relative pronoun instead; then the noun before belongs
        to two clauses, and its case is discarded.
        """
        before = [token.lower for token in self.tokens[max(self._at - 2, 0) : self._at]]
        if before[-1:] == [","] or (before[:1] == [","] and PREPOSITION & word_of(before[-1], self.language).jobs):
            self._case = ""
            self.cases.pop(self._last, None)
        else:
            self._case = next(iter(cases)) if len(cases) == 1 else ""

    def _add_filler(self, key: str) -> None:
        """Append a filler unless a negation takes it."""
        if self._headless:
            self._head_modals(key)
        if self._pending:
            self.negated.add(key)
            self._pending = False
        else:
            self.order.append(Term(key, "word", self._comma))

    def _head_modals(self, key: str) -> None:
        """Make a word the head of the modals before it."""
        first = len(self.modals) - self._headless
        self.modals[first:] = [modal._replace(head=key) for modal in self.modals[first:]]
        self._headless = 0
