"""Compares negations, opposites and quantifiers."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.language.lexicon_tables import LEVELS, graded_forms, lexicon_language, words_with
from holdfast.language.meanings import stems_with_jobs
from holdfast.language.spelling import is_negated_form
from holdfast.language.stems import stem
from holdfast.metrics.facts.comparing.difference import Difference, Opposite, shared_family
from holdfast.metrics.facts.comparing.roles import BINDERS, has_reversed_roles
from holdfast.metrics.facts.reading.fact_types import NO_CONFLICT, Conflict, Facts
from holdfast.metrics.facts.reading.terms import neighbours

_REWORDED = 0.34
"""Up to this share of reworded stems, a contradiction is certain: the segments are otherwise the same."""

_SAME = 0.8
"""From this share of common words, the segments are about the same thing."""

_DENIED = 0.9
"""The cost of a negation that applies to another word, or that a word like "refused" expresses."""

_ELSEWHERE = 0.35
"""The cost of an opposite whose neighbours differ, and of a negation of a word that the other side doesn't have. These
are wrong as often as right."""

_STEP = 0.9
"""The difference in level from which two quantifiers contradict each other."""

_ABOUT = 0.5
"""The difference in level below which two quantifiers agree."""

_BOTH = 2
"""The number that "both" implies."""

_RARELY = 0.6
"""The cost of "hardly ever" on one side if nothing else differs."""

_QUANTIFIER_ALONE, _ALL_ALONE = 0.4, 0.15
"""The cost of a quantifier that only one side has, and of "all", which a bare plural may also mean."""

_NAMED = {"converse": "antonym"}
"""Kinds of opposites that have another name in reasons."""


def polarity_conflict(ours: Facts, theirs: Facts, found: Difference, swapped: bool) -> Conflict:
    """Return the conflict of a negation or an opposite; one of each cancels out ("not safe", "dangerous").

    Args:
        ours: The facts of the clean segments.
        theirs: The facts of the perturbed segments.
        found: The difference in their words.
        swapped: Whether two arguments swapped places, which cancels an opposite: "A is taller than B", "B is shorter
            than A".
    """
    flips = [flip for flip in found.opposites if not _is_converse(ours, theirs, found, flip)]
    if flips:
        undone = _undone(ours, theirs, found, flips, swapped)
        return NO_CONFLICT if undone else _opposite(ours, theirs, found, flips)
    if is_odd(ours, theirs):
        return _negated_once_more(ours, theirs, found)
    return (
        _negated_several_times(ours, theirs)
        or _denied_by_a_word(ours, theirs, found)
        or _negated_elsewhere(ours, theirs, found)
        or NO_CONFLICT
    )


def is_balanced(ours: Facts, theirs: Facts, found: Difference, affirmed: Conflict) -> bool:
    """Return whether the quantifiers may differ because a negation or an opposite makes up for it: never late, always
    early; few stayed, most left."""
    if affirmed.cost:
        return False
    return is_odd(ours, theirs) or (bool(found.opposites) and _few_and_most(ours, theirs))


def is_odd(ours: Facts, theirs: Facts) -> bool:
    """Return whether the numbers of negations differ by an odd number."""
    return (ours.negations - theirs.negations) % 2 == 1


def _by_negations(ours: Facts, theirs: Facts) -> tuple[Facts, Facts]:
    """Return the side with more negations, then the one with fewer."""
    return (ours, theirs) if ours.negations > theirs.negations else (theirs, ours)


def _undone(ours: Facts, theirs: Facts, found: Difference, flips: Sequence[Opposite], swapped: bool) -> bool:
    """Return whether opposites agree after all, because one is negated or their quantifiers or arguments are reversed:
    not safe, dangerous; few stayed, most left; refused to stay, went; A is taller than B, B is shorter than A."""
    if is_odd(ours, theirs):
        negated = _by_negations(ours, theirs)[0].reach
        if any(one in negated or other in negated for one, other, _ in flips):
            return True
    denied, denying = _denials(ours, theirs, found)
    return _few_and_most(ours, theirs) or bool(denied) != bool(denying) or (swapped and len(flips) == 1)


def _negated_once_more(ours: Facts, theirs: Facts, found: Difference) -> Conflict:
    """Return the conflict of a negation that only one side has, unless the other side expresses it differently."""
    more, fewer = _by_negations(ours, theirs)
    if _is_expressed_differently(more, fewer, found.gained if more is ours else found.lost):
        return NO_CONFLICT
    return Conflict(_sure_of_negation(more, fewer, found), f"negation {'lost' if more is ours else 'added'}")


def _negated_several_times(ours: Facts, theirs: Facts) -> Conflict | None:
    """Return the conflict of two or more negations of words that the other side affirms; "only" may replace two."""
    more, fewer = _by_negations(ours, theirs)
    if more.negations - fewer.negations < 2 or fewer.only:
        return None
    if _says(more, "lacking") and _says(fewer, "needed"):
        return None  # "may not enter without a ticket", "must have one"
    mine, its = (ours.negated & theirs.keys) - theirs.reach, (theirs.negated & ours.keys) - ours.reach
    if len(mine | its) < 2:
        return None
    which, how = _one_sided(ours, theirs, mine, its)
    return Conflict(_DENIED, f"negation of {which} {how}")


def _denied_by_a_word(ours: Facts, theirs: Facts, found: Difference) -> Conflict | None:
    """Return the conflict of a word that denies by itself and has no counterpart: refused to go, went."""
    denied, denying = _denials(ours, theirs, found)
    if bool(denied) == bool(denying) or (found.gained if denied else found.lost):
        return None
    which, how = _one_sided(ours, theirs, denied, denying)
    return Conflict(_DENIED, f"negation {how} ({which})")


def _negated_elsewhere(ours: Facts, theirs: Facts, found: Difference) -> Conflict | None:
    """Return the conflict of a single negation on each side that applies to different words, which both have."""
    if not ours.negations == theirs.negations == 1:
        return None
    mine, its = ours.negated - theirs.negated, theirs.negated - ours.negated
    if mine <= theirs.reach and its <= ours.reach:
        return None
    if found.shared < _SAME or not (mine & _stems(theirs) and its & _stems(ours)):
        return None
    return Conflict(_DENIED, f"negation of {_form(ours, mine)} -> {_form(theirs, its)}")


def _is_expressed_differently(more: Facts, fewer: Facts, others: frozenset[str]) -> bool:
    """Return whether the side with fewer negations expresses one by other words, or two cancel out on the other side.

    For example: few; not uncommon, would not stop; no other is as tall, the tallest; too tired to celebrate; not until
    it is shut, once it is.

    Args:
        more: The side with more negations.
        fewer: The side with fewer negations.
        others: The stems that only `fewer` has.
    """
    if _balances(others, fewer) or (_has(fewer, "few") and not _has(more, "few")):
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


def _few_and_most(ours: Facts, theirs: Facts) -> bool:
    """Return whether one side says "few" and the other "most": few stayed, most left."""
    return (_has(ours, "few") and _has(theirs, "most")) or (_has(ours, "most") and _has(theirs, "few"))


def _has(facts: Facts, quantifier: str) -> bool:
    return any(level == LEVELS[quantifier] for level, _ in facts.levels)


def _sure_of_negation(more: Facts, fewer: Facts, found: Difference) -> float:
    """Return the cost of a negation that only one side has.

    It is high if the other side affirms the negated word or nothing else differs, and low if the word was replaced.
    """
    if more.negated & fewer.keys or not (found.lost or found.gained):
        return max(_certainty(found), _DENIED)
    return _ELSEWHERE if found.lost and found.gained else _DENIED


def _is_converse(ours: Facts, theirs: Facts, found: Difference, flip: Opposite) -> bool:
    """Return whether an opposite agrees because its roles are reversed, too: A sold it to B, B bought it from A; A is
    slower than B, B is faster than A."""
    one, other, kind = flip
    compared = kind == "comparison" and any(_says(ours, job) and _says(theirs, job) for job in ("than", "too"))
    return (kind == "converse" or compared) and has_reversed_roles(ours, theirs, one, other, dict(found.alike))


def _opposite(ours: Facts, theirs: Facts, found: Difference, flips: Sequence[Opposite]) -> Conflict:
    """Return the conflict of the first opposite whose neighbours match, at a low cost if those of none do."""
    placed = [flip for flip in flips if _in_place(ours, theirs, found, flip)]
    one, other, kind = (placed or flips)[0]
    sure = _certainty(found) if placed else _ELSEWHERE
    return Conflict(sure, f"{_NAMED.get(kind, kind)} {ours.forms.get(one, one)} -> {theirs.forms.get(other, other)}")


def _certainty(found: Difference) -> float:
    """Return the cost of a contradiction: the more other words differ, the more likely it is a paraphrase.

    On the build half of the labelled pairs, conflicts of numbers, dates, units and names were right in 94 of 96 cases,
    conflicts of opposites and negations in 88 of 96.
    """
    if not (found.lost or found.gained or found.alike):
        return 1.0
    return _DENIED if found.reworded <= _REWORDED else 0.6


def _in_place(ours: Facts, theirs: Facts, found: Difference, flip: Opposite) -> bool:
    """Return whether two opposites have a common neighbour, or one has no neighbours.

    For words that link two others, such as "before" and "after", the neighbour must be on the same side.
    """
    alike = dict(found.alike)
    forms = [side.forms.get(key, key).lower() for side, key in ((ours, flip[0]), (theirs, flip[1]))]
    mine, its = neighbours(ours.order, flip[0], forms[0]), neighbours(theirs.order, flip[1], forms[1])
    renamed = [{alike.get(key, key) for key in side} for side in its]
    if not any(mine) or not any(renamed):
        return True
    if BINDERS.issuperset(forms):
        return any(one & other for one, other in zip(mine, renamed, strict=True))
    return not set().union(*mine).isdisjoint(set().union(*renamed))


def quantifier_conflict(ours: Facts, theirs: Facts, found: Difference) -> Conflict:
    """Return the conflict of quantifiers (all, most, some, few, none) that differ or that only one side has."""
    mine, its = sorted(ours.levels), sorted(theirs.levels)
    if [level for level, _ in mine] == [level for level, _ in its]:
        return NO_CONFLICT
    for side, others in ((ours, its), (theirs, mine)):
        if any(one.implied and one.value == _BOTH for one in side.quantities) and _of_two(others):
            both = "both -> one" if side is ours else "one -> both"
            return Conflict(_certainty(found), f"quantifier {both}")
    left = [one for one in mine if not _takes(its, one[0])]
    if left and its:
        if abs(left[0][0] - its[0][0]) >= _STEP:
            return Conflict(_certainty(found), f"quantifier {left[0][1]} -> {its[0][1]}")
        return NO_CONFLICT
    if not left and not its:
        return NO_CONFLICT
    level, word = (left or its)[0]
    if level == LEVELS["some"] and any(one.loose for one in (*ours.quantities, *theirs.quantities)):
        return NO_CONFLICT  # a few days, a couple of days
    if level in (LEVELS["many"], LEVELS["none"]) or word == "one_of":
        return NO_CONFLICT
    cost = _ALL_ALONE if level == LEVELS["all"] else _QUANTIFIER_ALONE
    if level == LEVELS["few"] and not (found.lost or found.gained):
        cost = _RARELY
    return Conflict(cost * found.shared, f"quantifier {word} {'lost' if left else 'added'}")


def _of_two(levels: Sequence[tuple[float, str]]) -> bool:
    """Return whether a quantifier picks out one of several."""
    return any(word in ("one_of", "only_one") for _, word in levels)


def _stems(facts: Facts) -> frozenset[str]:
    return frozenset(stem(word, facts.language) for word in facts.words)


def _denials(ours: Facts, theirs: Facts, found: Difference) -> tuple[frozenset[str], frozenset[str]]:
    """Return the stems that only one side has and that deny by themselves (fail, refuse, lack), for either side."""
    denying = stems_with_jobs(shared_family(ours, theirs), "soft_not")
    return found.lost & denying, found.gained & denying


def _one_sided(ours: Facts, theirs: Facts, lost: frozenset[str], added: frozenset[str]) -> tuple[str, str]:
    """Return the words of one side as written, and "lost" or "added"."""
    return (_form(ours, lost), "lost") if lost else (_form(theirs, added), "added")


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


def _form(facts: Facts, keys: frozenset[str]) -> str:
    return ", ".join(sorted(facts.forms.get(key, key) for key in keys))
