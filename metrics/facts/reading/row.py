"""A row of tokens, what its language knows of them, and the quantities found in it so far."""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.language.lexicon_tables import grammar
from holdfast.language.meanings import tables
from holdfast.metrics.facts.reading.quantity import Quantity, calendar, units
from holdfast.metrics.facts.reading.tokens import Token

_SPARE_SPACE = re.compile(r"(?<=[$€£¥₹]) |(?<=\A-) | (?=[%,.°])")
"""A space that stands between tokens, and not in the text: $5, 5%."""

_NO_NUMBER = ("", 0.0)


class Row:
    """What the readers of dates and of numbers build on: the tokens by their places, the quantities among them with the
    places where they begin (`found`), the places that they take up (`used`), and the tables of the language."""

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
        """The form in which a token compares; "" beside the row."""
        return self.tokens[at].lower if 0 <= at < len(self.tokens) else ""

    def does(self, at: int, job: str) -> bool:
        """Whether the word that stands there has a job."""
        return 0 <= at < len(self.tokens) and job in self._jobs.get(self.tokens[at].lower, ())

    def number_word(self, at: int) -> tuple[str, float]:
        """The kind and the value of a number in words; no kind where none stands."""
        return self.numbers.get(self.tokens[at].lower, _NO_NUMBER) if 0 <= at < len(self.tokens) else _NO_NUMBER

    def more(self, at: int) -> tuple[float, int]:
        """What `and a half` adds to the number before it, and where it ends."""
        for words, value in self._additions:
            if self.lower(at) == words[0] and all(self.lower(at + i) == word for i, word in enumerate(words)):
                return value, at + len(words)
        return 0.0, at

    def form(self, start: int, end: int) -> str:
        """How these tokens are written."""
        return _SPARE_SPACE.sub("", " ".join(token.text for token in self.tokens[start:end]))

    def keep(self, start: int, end: int, quantity: Quantity) -> int:
        """Take up these places with a quantity, and return where it ends."""
        self.found.append((start, quantity))
        self.used.update(range(start, end))
        return end

    def drop_from(self, start: int) -> None:
        """Forget the quantities that begin here or later: they are parts of one that is about to be kept."""
        self.found = [(place, quantity) for place, quantity in self.found if place < start]
