"""Finds two spans of words that changed places while every other word stayed: she left because he came."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from holdfast.language.grammar import closed_class
from holdfast.language.stems import stem
from holdfast.metrics.facts.comparing.cases import is_order_free
from holdfast.metrics.facts.reading.fact_types import Facts, Finding
from holdfast.metrics.facts.reading.weighed_words import Word, words_of
from holdfast.metrics.facts.reading.word_roles import PREPOSITION, word_of
from holdfast.metrics.facts.reading.word_roles import Word as Properties

_COMMA = re.compile("[,;，、；،]")

_SUBJECTS = {"me": "i", "him": "he", "her": "she", "us": "we", "them": "they"}
_PRONOUNS = frozenset("i you he she we they my your his our their".split())
"""English pronouns, which can exchange their roles like nouns: he said that she lied, she said that he lied."""

Spans = tuple[int, int, int, int]
"""Where the first span begins and ends, and where the second one does."""


def swapped_span_findings(ours: Facts, theirs: Facts) -> Iterator[Finding]:
    """Yield two spans that changed places around words that relate them, where all other words are in place.

    Members of a list, coordinated clauses and phrases that took their preposition along may be in any order, and so may
    nouns whose case is marked.
    """
    words, others = words_of(ours.text, ours.language), words_of(theirs.text, theirs.language)
    row, its = ([_key(word, ours.language) for word in side] for side in (words, others))
    found = _swapped(row, its)
    if found is None:
        return
    spans = _with_shared_ends(row, found)
    one, other = (words[spans[i] : spans[i + 1]] for i in (0, 2))
    heads = [next((word.key for word in reversed(span) if _is_head(word, ours)), "") for span in (one, other)]
    moved_whole = any(PREPOSITION & _properties(span[0], ours).jobs for span in (one, other))
    if not all(heads) or "".join(heads).isdigit() or moved_whole or not _are_related(ours, words, found, spans):
        return
    if not is_order_free(ours, theirs, *heads):
        who, whom = (ours.text[span[0].start : span[-1].end] for span in (one, other))
        yield Finding("exchanged", 1.0, f"roles {who} <-> {whom}", (who, whom), (whom, who))


def _swapped(mine: Sequence[str], its: Sequence[str]) -> Spans | None:
    """Return the shortest two spans X and Y of the first row for which the rows are A X B Y C and A Y B X C."""
    if len(mine) != len(its) or mine == its or sorted(mine) != sorted(its):
        return None
    start = next(i for i, (one, other) in enumerate(zip(mine, its, strict=True)) if one != other)
    end = len(mine) - next(i for i, (one, other) in enumerate(zip(mine[::-1], its[::-1], strict=True)) if one != other)
    mine, its = mine[start:end], its[start:end]
    count = len(mine)
    ones = [count - at for at, key in enumerate(its) if key == mine[0] and mine[: count - at] == its[at:]]
    others = [count - at for at, key in enumerate(mine) if key == its[0] and mine[at:] == its[: count - at]]
    for one, other in sorted(((one, other) for one in ones for other in others), key=sum):
        if one + other <= count and mine[one : count - other] == its[other : count - one]:
            return start, start + one, end - other, end
    return None


def _with_shared_ends(row: Sequence[str], spans: Spans) -> Spans:
    """Extend both spans by the words that come before both, and by those that come after both."""
    start, end, second, last = spans
    while start > 0 and second > end and row[start - 1] == row[second - 1]:
        start, second = start - 1, second - 1
    while last < len(row) and second > end and row[end] == row[last]:
        end, last = end + 1, last + 1
    return start, end, second, last


def _are_related(facts: Facts, words: Sequence[Word], found: Spans, spans: Spans) -> bool:
    """Return whether what is before or between two spans gives each of them a role of its own: if X, Y; X because Y.

    Args:
        facts: The facts of the text.
        words: Its words.
        found: The spans that changed places.
        spans: The same with the words that both share.
    """
    start, end, second, _ = spans
    if start > 0 and _is_subordinator(words[start - 1], facts):
        return True
    gap = facts.text[words[end - 1].end : words[second].start]
    between = words[end:second]
    if not between:
        return found[2] > found[1] and not _COMMA.search(gap)
    edges = (gap.lstrip()[0], between[0]), (gap.rstrip()[-1], between[-1])
    if not all(_COMMA.match(mark) or "conjunction" in _properties(word, facts).jobs for mark, word in edges):
        return True
    listed = {term.key for term in facts.order if term.listed}
    return any(word.key not in listed for word in between if _properties(word, facts).content)


def _is_subordinator(word: Word, facts: Facts) -> bool:
    small = closed_class("conjunction", "question") if facts.language == "en" else frozenset()
    return word.form.lower() in small and "conjunction" not in _properties(word, facts).jobs


def _key(word: Word, language: str) -> str:
    """Return the key of a word; that of the subject for the object form of an English pronoun."""
    subject = _SUBJECTS.get(word.form.lower()) if language == "en" else None
    return stem(subject) if subject else word.key


def _is_head(word: Word, facts: Facts) -> bool:
    form = word.form.lower()
    return _properties(word, facts).content or (facts.language == "en" and _SUBJECTS.get(form, form) in _PRONOUNS)


def _properties(word: Word, facts: Facts) -> Properties:
    return word_of(word.form.lower(), facts.language)
