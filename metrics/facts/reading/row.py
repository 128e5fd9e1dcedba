"""A row of tokens with the lookup tables of its language and the quantities found so far."""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.language.lexicon_tables import grammar
from holdfast.language.meanings import tables
from holdfast.metrics.facts.reading.quantity import Quantity, calendar, units
from holdfast.metrics.facts.reading.tokens import Token

_SPARE_SPACE = re.compile(r"(?<=[$€£¥₹]) |(?<=\A-) | (?=[%,.°])")
"""A space between joined tokens that the text doesn't have: $5, 5%."""

_NO_NUMBER = ("", 0.0)


class Row:
    """The base class of the readers of dates and numbers.

    Attributes:
        tokens: The tokens, addressed by index ("place"); an index outside the row is an empty token.
        found: The quantities found so far, each with the index of its first token.
        used: The indices of tokens that are part of a quantity.
    """

    def __init__(self, tokens: Sequence[Token], language: str) -> None:
        known = tables(language)
        self.tokens = tokens
        self.language = language
        self.calendar = calendar(language)
        self.units = units(language)
        self.numbers = known.numbers
        self.long_numbers = known.long_numbers
        self.decimal = grammar(language).decimal
        self.found: list[tuple[int, Quantity]] = []
        self.used: set[int] = set()
        self._jobs = known.jobs
        self._additions = known.more

    def lower(self, at: int) -> str:
        """Return the normalised form of a token; "" outside the row."""
        return self.tokens[at].lower if 0 <= at < len(self.tokens) else ""

    def has_job(self, at: int, job: str) -> bool:
        """Return whether the word at a place has a job (see `data/words.txt`)."""
        return 0 <= at < len(self.tokens) and job in self._jobs.get(self.tokens[at].lower, ())

    def number_word(self, at: int) -> tuple[str, float]:
        """Return the kind and value of a number word; ("", 0.0) for any other token."""
        return self.numbers.get(self.tokens[at].lower, _NO_NUMBER) if 0 <= at < len(self.tokens) else _NO_NUMBER

    def read_addition(self, at: int) -> tuple[float, int]:
        """Return what a phrase such as `and a half` adds to the number before it, and its end; (0.0, at) if none."""
        for words, value in self._additions:
            if self.lower(at) == words[0] and all(self.lower(at + i) == word for i, word in enumerate(words)):
                return value, at + len(words)
        return 0.0, at

    def form(self, start: int, end: int) -> str:
        """Return the text of these tokens."""
        return _SPARE_SPACE.sub("", " ".join(token.text for token in self.tokens[start:end]))

    def keep(self, start: int, end: int, quantity: Quantity) -> int:
        """Store a quantity that spans these tokens, and return its end."""
        self.found.append((start, quantity))
        self.used.update(range(start, end))
        return end

    def drop_from(self, start: int) -> None:
        """Discard the quantities that begin here or later, since they are parts of one that is about to be kept."""
        self.found = [(place, quantity) for place, quantity in self.found if place < start]
