"""Compares negations, opposites and quantifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from holdfast.language.inflection import graded_forms, is_superlative
from holdfast.language.lexicon_tables import LEVELS, lexicon_language, words_with
from holdfast.language.meanings import stems_with_jobs
from holdfast.language.spelling import is_negated_form
from holdfast.language.stems import stem
from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.comparing.difference import Difference, Opposite, shared_family
from holdfast.metrics.facts.comparing.roles import BINDERS, has_reversed_roles
from holdfast.metrics.facts.reading.fact_types import Facts, Finding, one_sided, replaced
from holdfast.metrics.facts.reading.terms import neighbours

_STEP = 0.9
"""The difference in level from which two quantifiers contradict each other."""

_ABOUT = 0.5
"""The difference in level below which two quantifiers agree."""

_BOTH = 2
"""The number that "both" implies."""

_ONE_OF = re.compile(r"\b(?:one of|among) (?:(?:the )?\w+'s|the|its|his|her|their|our|your|my) (\w+)")

_NAMED = {"converse": "antonym"}
"""Kinds of opposites that have another name in reasons."""


def logic_findings(pair: Compared, *, swapped: bool) -> Iterator[Finding]:
    """Compare negations, opposites and quantifiers.

    A negation and an opposite cancel out ("not safe", "dangerous"), and so do an opposite and two arguments that
    swapped places: "A is taller than B", "B is shorter than A".
    """
    ours, theirs, found = pair.ours, pair.theirs, pair.found
    flips = [flip for flip in found.opposites if not _is_converse(ours, theirs, found, flip)]
    polarity: Finding | None = None
    if flips:
        polarity = None if _undone(ours, theirs, found, flips, swapped) else _opposite(ours, theirs, found, flips)
    elif is_odd(ours, theirs):
        polarity = _negated_once_more(ours, theirs, found)
    elif ours.negations or theirs.negations or found.lost or found.gained:
        polarity = (
            _negated_several_times(ours, theirs)
            or _denied_by_a_word(ours, theirs, found)
            or _negated_elsewhere(ours, theirs)
        )
    if polarity:
        yield polarity
    if is_odd(ours, theirs) and any(_is_reply(flip, ours.language) for flip in found.opposites):
        yield Finding("negation", 1.0, "negation added" if theirs.negations > ours.negations else "negation lost")
    if one := _one_of_the_most(ours, theirs):
        yield replaced("quantifier", 1.0, [f"one of the {one}"], [f"the {one}"])
    elif one := _one_of_the_most(theirs, ours):
        yield replaced("quantifier", 1.0, [f"the {one}"], [f"one of the {one}"])
    elif (ours.levels or theirs.levels) and not is_balanced(ours, theirs, found, polarity):
        yield from _quantifiers(ours, theirs)


def _is_reply(flip: Opposite, language: str) -> bool:
    """Return whether an answer by yes became one by no, to which a negation adds: no, it isn't."""
    return not words_with(language, "reply").isdisjoint(flip[:2])


def is_balanced(ours: Facts, theirs: Facts, found: Difference, affirmed: Finding | None) -> bool:
    """Return whether the quantifiers may differ because a negation or an opposite makes up for it: never late, always
    early; few stayed, most left."""
    if affirmed:
        return False
    return is_odd(ours, theirs) or (bool(found.opposites) and _few_and_most(ours, theirs))


def is_odd(ours: Facts, theirs: Facts) -> bool:
    """Return whether the numbers of negations differ by an odd number."""
    return (ours.negations - theirs.negations) % 2 == 1


def _by_negations(ours: Facts, theirs: Facts) -> tuple[Facts, Facts]:
    """Return the side with more negations, then the one with fewer."""
    return (ours, theirs) if ours.negations > theirs.negations else (theirs, ours)


def _undone(ours: Facts, theirs: Facts, found: Difference, flips: Sequence[Opposite], swapped: bool) -> bool:
    """Return whether opposites agree after all, because one is negated or lessened, or because their quantifiers or
    arguments are reversed: not safe, dangerous; cleaner, less polluted; few stayed, most left; refused to stay, went;
    A is taller than B, B is shorter than A."""
    if is_odd(ours, theirs):
        negated = _by_negations(ours, theirs)[0].reach
        if any(one in negated or other in negated for one, other, _ in flips):
            return True
    if any(_is_lessened(ours, one) != _is_lessened(theirs, other) for one, other, _ in flips):
        return True
    denied, denying = _denials(ours, theirs, found)
    return _few_and_most(ours, theirs) or bool(denied) != bool(denying) or (swapped and len(flips) == 1)


def _negated_once_more(ours: Facts, theirs: Facts, found: Difference) -> Finding | None:
    """Return a negation that only one side has, unless the other side expresses it differently.

    It is apart from the rest if the other side has another word in place of the negated one.
    """
    more, fewer = _by_negations(ours, theirs)
    if not more.negated and words_with(more.language, "reply") & more.keys & fewer.keys:
        return None  # "No.", "No, it is not."
    if _is_expressed_differently(more, fewer, found.gained if more is ours else found.lost):
        return None
    apart = not more.negated & fewer.keys and found.lost and found.gained
    kind = "negation apart" if apart else "negation"
    words = tuple(more.forms.get(key, key) for key in sorted(more.negated))
    lost = more is ours
    return Finding(kind, 1.0, f"negation {'lost' if lost else 'added'}", words if lost else (), () if lost else words)


def _negated_several_times(ours: Facts, theirs: Facts) -> Finding | None:
    """Return two or more negations of words that the other side affirms, unless two of them cancel out: not without;
    no others, only these."""
    more, fewer = _by_negations(ours, theirs)
    if more.negations - fewer.negations < 2 or fewer.only or _says(more, "lacking"):
        return None
    mine, its = (ours.negated & theirs.keys) - theirs.reach, (theirs.negated & ours.keys) - ours.reach
    if len(mine | its) < 2:
        return None
    return one_sided("negation", 1.0, *_sides(ours, theirs, mine, its), "negation of")


def _denied_by_a_word(ours: Facts, theirs: Facts, found: Difference) -> Finding | None:
    """Return a word that denies by itself and has no counterpart: refused to go, went."""
    denied, denying = _denials(ours, theirs, found)
    if bool(denied) == bool(denying) or (found.gained if denied else found.lost):
        return None
    return one_sided("negation", 1.0, *_sides(ours, theirs, denied, denying), "negation")


def _negated_elsewhere(ours: Facts, theirs: Facts) -> Finding | None:
    """Return a single negation on each side that applies to different words, which both have."""
    if not ours.negations == theirs.negations == 1:
        return None
    mine, its = ours.negated - theirs.negated, theirs.negated - ours.negated
    if (mine <= theirs.reach and its <= ours.reach) or not (mine & _stems(theirs) and its & _stems(ours)):
        return None
    return replaced("negation", 1.0, *_sides(ours, theirs, mine, its, both=True), "negation of")


def _is_expressed_differently(more: Facts, fewer: Facts, others: frozenset[str]) -> bool:
    """Return whether the side with fewer negations expresses one by other words, or two cancel out on the other side.

    For example: few; not uncommon, would not stop; no other is as tall, the tallest; too tired to celebrate; not until
    it is shut, once it is.

    Args:
        more: The side with more negations.
        fewer: The side with fewer negations.
        others: The stems that only `fewer` has.
    """
    if _balances(others, fewer) or (_has(fewer, "few") and not _has(more, "few") and not _has(more, "none")):
        return True
    if _says_not_all(fewer, more) or _needs_not(fewer, more) or _denies_each(more, fewer):
        return True
    if _says_so(fewer, more) or (_says(fewer, "too") and not _says(more, "too")):
        return True
    if _says(more, "until") and _says(fewer, "then"):
        return True
    return not more.negated & fewer.keys and _balances(more.negated, more)


def _says_not_all(one: Facts, other: Facts) -> bool:
    """Return whether one side says "not all" and the other has "some" or "many"."""
    return any(word == "not_all" for _, word in one.levels) and (_has(other, "some") or _has(other, "many"))


def _needs_not(one: Facts, other: Facts) -> bool:
    """Return whether one side says "need not" and the other negates a requirement: no stamp is required."""
    needed = stems_with_jobs(lexicon_language(other.language), "needed")
    return any("free" in modal.jobs for modal in one.modals) and not needed.isdisjoint(other.reach)


def _denies_each(more: Facts, fewer: Facts) -> bool:
    """Return whether one negation covers what the other side negates one by one: no meat or fish, no meat and no
    fish."""
    return len(more.negated) > 1 and more.negated <= fewer.reach


def _says_so(graded_side: Facts, other: Facts) -> bool:
    """Return whether one side has a graded form where the other says "as" or "so": the tallest, no other is as tall."""
    forms = {form.lower() for form in graded_side.forms.values()} - other.words
    return _says(other, "as") and not forms.isdisjoint(graded_forms())


def _says(facts: Facts, job: str) -> bool:
    """Return whether any word of the segment has a job."""
    return not facts.words.isdisjoint(words_with(facts.language, job))


def _is_lessened(facts: Facts, key: str) -> bool:
    """Return whether "less" stands right before a word."""
    text, form = facts.text.lower(), facts.forms.get(key, key).lower()
    return any(f"{word} {form}" in text for word in words_with(facts.language, "lessens"))


def _few_and_most(ours: Facts, theirs: Facts) -> bool:
    """Return whether one side says "few" and the other "most": few stayed, most left."""
    return (_has(ours, "few") and _has(theirs, "most")) or (_has(ours, "most") and _has(theirs, "few"))


def _has(facts: Facts, quantifier: str) -> bool:
    return any(level == LEVELS[quantifier] for level, _ in facts.levels)


def _is_converse(ours: Facts, theirs: Facts, found: Difference, flip: Opposite) -> bool:
    """Return whether an opposite agrees because its roles are reversed, too: A sold it to B, B bought it from A; A is
    slower than B, B is faster than A."""
    one, other, kind = flip
    compared = kind == "comparison" and any(_says(ours, job) and _says(theirs, job) for job in ("than", "too"))
    return (kind == "converse" or compared) and has_reversed_roles(ours, theirs, one, other, dict(found.alike))


def _opposite(ours: Facts, theirs: Facts, found: Difference, flips: Sequence[Opposite]) -> Finding | None:
    """Return the first opposite whose neighbours match, or None."""
    placed = [flip for flip in flips if _in_place(ours, theirs, found, flip)]
    if not placed:
        return None
    one, other, kind = placed[0]
    kind = _NAMED.get(kind, kind)
    words = [ours.forms.get(one, one)], [theirs.forms.get(other, other)]
    return replaced(kind, 1.0, *words)


def _in_place(ours: Facts, theirs: Facts, found: Difference, flip: Opposite) -> bool:
    """Return whether two opposites have a common neighbour, one has no neighbours, or both open their segments before a
    comma: "Yes, both are", "No, neither is".

    For words that link two others, such as "before" and "after", the neighbour must be on the same side.
    """
    alike = dict(found.alike)
    forms = [side.forms.get(key, key).lower() for side, key in ((ours, flip[0]), (theirs, flip[1]))]
    mine, its = neighbours(ours.order, flip[0], forms[0]), neighbours(theirs.order, flip[1], forms[1])
    renamed = [{alike.get(key, key) for key in side} for side in its]
    if not any(mine) or not any(renamed) or (_introduces(ours, flip[0]) and _introduces(theirs, flip[1])):
        return True
    if BINDERS.issuperset(forms):
        return any(one & other for one, other in zip(mine, renamed, strict=True))
    return not set().union(*mine).isdisjoint(set().union(*renamed))


def _introduces(facts: Facts, key: str) -> bool:
    """Return whether a word is the first of a segment, and a comma follows it."""
    return bool(facts.order) and facts.order[0].key == key and facts.order[0].listed


def _quantifiers(ours: Facts, theirs: Facts) -> Iterator[Finding]:
    """Compare quantifiers (all, most, some, few, none) that differ or that only one side has."""
    mine, its = sorted(ours.levels), sorted(theirs.levels)
    if [level for level, _ in mine] == [level for level, _ in its]:
        return
    for side, others in ((ours, its), (theirs, mine)):
        if any(one.implied and one.value == _BOTH for one in side.quantities) and _of_two(others):
            yield replaced("quantifier", 1.0, *((["both"], ["one"]) if side is ours else (["one"], ["both"])))
            return
    left = [one for one in mine if not _takes(its, one[0])]
    if left and its and abs(left[0][0] - its[0][0]) >= _STEP:
        yield replaced("quantifier", 1.0, [left[0][1]], [its[0][1]])


def _of_two(levels: Sequence[tuple[float, str]]) -> bool:
    """Return whether a quantifier picks out one of several."""
    return any(word in ("one_of", "only_one") for _, word in levels)


def _one_of_the_most(ours: Facts, theirs: Facts) -> str:
    """Return a superlative from which one side picks one and that the other side has by itself: one of the largest, the
    largest. English only."""
    if ours.language != "en" or theirs.language != "en":
        return ""
    picked, others = (_picked(side.text.lower().replace("’", "'")) for side in (ours, theirs))
    return next((word for word in sorted(picked - others) if word in theirs.words and is_superlative(word)), "")


@lru_cache(maxsize=1 << 14)
def _picked(text: str) -> frozenset[str]:
    return frozenset(_ONE_OF.findall(text))


def _stems(facts: Facts) -> frozenset[str]:
    return frozenset(stem(word, facts.language) for word in facts.words)


def _denials(ours: Facts, theirs: Facts, found: Difference) -> tuple[frozenset[str], frozenset[str]]:
    """Return the stems that only one side has and that deny by themselves (fail, refuse, lack), for either side."""
    denying = stems_with_jobs(shared_family(ours, theirs), "soft_not")
    return found.lost & denying, found.gained & denying


def _sides(
    ours: Facts, theirs: Facts, lost: frozenset[str], gained: frozenset[str], *, both: bool = False
) -> tuple[list[str], list[str]]:
    """Return the words of both sides as written; those of the perturbed side only if the clean side has none, or
    `both`."""
    mine, its = (sorted(side.forms.get(key, key) for key in keys) for side, keys in ((ours, lost), (theirs, gained)))
    return mine, its if both or not mine else []


def _balances(keys: frozenset[str], facts: Facts) -> bool:
    """Return whether one of these words may replace "not" and the word that it negates: lack, deprecated, unaware."""
    language = lexicon_language(facts.language)
    if keys & stems_with_jobs(language, "soft_not", "weak_not"):
        return True
    return language == "en" and any(is_negated_form(facts.forms.get(key, key).lower()) for key in keys)


def _takes(levels: list[tuple[float, str]], level: float) -> bool:
    """Remove a quantifier of about this level from a list; return whether there was one."""
    for one in levels:
        if abs(one[0] - level) < _ABOUT:
            levels.remove(one)
            return True
    return False
