"""The facts of a whole answer, which show whether a fact was lost or merely moved to another segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from holdfast.language.meanings import are_related, relation_keys
from holdfast.metrics.facts.reading.agreement import unmatched
from holdfast.metrics.facts.reading.fact_types import Facts
from holdfast.metrics.facts.reading.quantity import Quantity
from holdfast.metrics.facts.reading.segment_facts import facts_of
from holdfast.metrics.facts.reading.tokens import without_list_marker

if TYPE_CHECKING:
    from holdfast.metrics.parsing import Parse


@dataclass(frozen=True)
class Answer:
    """The facts of an answer's segments, and their union.

    Attributes:
        segments: The facts of each segment.
        parse: What a trained pipeline found in the answer, if one was used.
        language: The language code of the answer.
    """

    segments: Sequence[Facts]
    parse: Parse | None = None
    language: str = "en"
    _related: dict[str, bool] = field(default_factory=dict)
    _quantities: dict[Quantity, bool] = field(default_factory=dict)

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset().union(*(facts.keys for facts in self.segments))

    @cached_property
    def _by_trait(self) -> Mapping[int | str, Sequence[str]]:
        """The stems that may be related to others, by what related stems share."""
        found: dict[int | str, list[str]] = {}
        for key in self.keys:
            for trait in relation_keys(key, self.language):
                found.setdefault(trait, []).append(key)
        return found

    def joined(self, group: Sequence[int]) -> Facts:
        """Return the facts of a group of segments, read as one segment."""
        if len(group) == 1:
            return self.segments[group[0]]
        texts = [self.segments[i].text for i in group]
        rest = [text if (bare := without_list_marker(text)) == text else "\n" + bare for text in texts[1:]]
        return facts_of(" ".join([texts[0], *rest]), self.segments[group[0]].language)

    def missing(self, keys: Set[str]) -> frozenset[str]:
        """Return the stems for which the answer has neither the stem nor a related word."""
        missing = keys - self.keys
        return frozenset([key for key in missing if not self.has_related(key)]) if missing else frozenset()

    def has_related(self, key: str) -> bool:
        """Return whether a word of the answer may mean the same as a stem."""
        known = self._related.get(key)
        if known is None:
            near = (self._by_trait.get(trait, ()) for trait in relation_keys(key, self.language))
            known = any(are_related(key, other, self.language) for others in near for other in others)
            self._related[key] = known
        return known

    def lacks(self, quantity: Quantity) -> bool:
        """Return whether a quantity is nowhere in the answer."""
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
    def text(self) -> str:
        """The whole answer, with runs of white space replaced by single spaces."""
        return " ".join(" ".join(facts.text for facts in self.segments).split())

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        return tuple(one for facts in self.segments for one in facts.quantities)
