"""An answer as its segments' facts: what stands anywhere in it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from holdfast.language.meanings import are_related, relation_keys
from holdfast.metrics.facts.comparing.numbers import unmatched
from holdfast.metrics.facts.reading.fact_types import Facts
from holdfast.metrics.facts.reading.quantity import Quantity
from holdfast.metrics.facts.reading.segment_facts import facts_of
from holdfast.metrics.facts.reading.tokens import without_item

if TYPE_CHECKING:
    from holdfast.metrics.parsing import Parse


@dataclass(frozen=True)
class Answer:
    """What stands anywhere in an answer."""

    segments: Sequence[Facts]
    parse: Parse | None = None
    language: str = "en"
    _kin: dict[str, bool] = field(default_factory=dict)
    _quantities: dict[Quantity, bool] = field(default_factory=dict)

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset().union(*(facts.keys for facts in self.segments))

    @cached_property
    def traits(self) -> frozenset[int | str]:
        return frozenset().union(*(relation_keys(key, self.language) for key in self.keys))

    def joined(self, group: Sequence[int]) -> Facts:
        """The facts of a group of segments, read as one."""
        if len(group) == 1:
            return self.segments[group[0]]
        texts = [self.segments[i].text for i in group]
        rest = [text if (bare := without_item(text)) == text else "\n" + bare for text in texts[1:]]
        return facts_of(" ".join([texts[0], *rest]), self.segments[group[0]].language)

    def missing(self, keys: Set[str]) -> frozenset[str]:
        """The stems that the answer has nowhere, nor a kin."""
        missing = keys - self.keys
        return frozenset([key for key in missing if not self.has_kin(key)]) if missing else frozenset()

    def has_kin(self, key: str) -> bool:
        """Whether a word of the answer may mean the same."""
        known = self._kin.get(key)
        if known is None:
            known = not self.traits.isdisjoint(relation_keys(key, self.language)) and any(
                are_related(key, other, self.language) for other in self.keys
            )
            self._kin[key] = known
        return known

    def lacks(self, quantity: Quantity) -> bool:
        """Whether the answer has a quantity nowhere."""
        known = self._quantities.get(quantity)
        if known is None:
            known = self._quantities[quantity] = bool(unmatched((quantity,), self.quantities))
        return known

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset().union(*(facts.words for facts in self.segments))

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.parse.names if self.parse else ()).union(*(facts.names for facts in self.segments))

    @cached_property
    def said(self) -> list[frozenset[str]]:
        """What each segment says: its content words and numbers."""
        return [facts.keys | facts.numbers for facts in self.segments]

    @cached_property
    def text(self) -> str:
        """All of it, white space made equal."""
        return " ".join(" ".join(facts.text for facts in self.segments).split())

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        return tuple(one for facts in self.segments for one in facts.quantities)
