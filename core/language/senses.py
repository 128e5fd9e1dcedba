"""Synonyms from WordNet for words with one dominant part of speech and sense."""

from collections.abc import Iterator
from functools import cache

from holdfast.language import wordnet
from holdfast.language.english_verbs import verbs
from holdfast.language.grammar import closed_class
from holdfast.language.inflection import forms

# Minimum shares and counts of a word's tagged occurrences, and a Zipf frequency (3 is once per million words).
_ONE_PART = 0.9
_ONE_SENSE = 0.8
_SAME_SENSE = 0.7
_SEEN = 3
_COMMON = 3.5


@cache
def replacements(form: str, place: str) -> tuple[str, list[str]]:
    """Return synonyms of `form`, inflected alike, and the part of speech in which they replace it.

    The word's first sense must dominate WordNet's tagged texts, and the synonym must be a common word that itself
    mostly has that sense. Synonyms share a synset, so antonyms are impossible.

    Args:
        form: The word as written, in lower case.
        place: Its part of speech in context ("noun", "verb" or "adj"); "" if unknown.

    Returns:
        The part of speech and the synonyms; "" and an empty list if there are none.
    """
    if len(form) < 3 or form in closed_class() or not form.isalpha():
        return "", []
    readings = [(part, base, slot) for part, base, slot in _readings(form) if wordnet.synsets(base, part)]
    part = place if place in {part for part, _, _ in readings} else _only_part(readings)
    bases = {base for own, base, _ in readings if own == part}
    if not part or len(bases) != 1:
        return "", []
    base = bases.pop()
    slots = [slot for own, _, slot in readings if own == part]
    found = []
    for other in _synonyms(base, part):
        inflected = {(_forms(part, other) or (None,) * 5)[slot] for slot in slots}
        if len(inflected) == 1 and (written := inflected.pop()) and written != form and _is_common(written):
            found.append(written)
    return part, found


@cache
def has_replacements(form: str) -> bool:
    """Return whether `form` has a synonym in any context."""
    return any(replacements(form, place)[1] for place in ("", "noun", "verb", "adj"))


def _readings(form: str) -> Iterator[tuple[str, str, int]]:
    """Yield the part of speech, base form and slot of every word that `form` may be a form of."""
    for part in wordnet.PARTS:
        for base in sorted({form, *_bases(form, part)}):
            for slot, own in enumerate(_forms(part, base) or (base,)):
                if own == form:
                    yield part, base, slot


_ENDINGS = {
    "noun": (("s", ""), ("es", ""), ("ies", "y")),
    "verb": (
        *(("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("d", ""), ("ied", "y")),
        *(("ing", ""), ("ing", "e"), ("ying", "ie")),
    ),
}


def _bases(form: str, part: str) -> Iterator[str]:
    """Yield candidate base forms of `form`; non-words among them are harmless because WordNet doesn't list them."""
    yield from wordnet.irregular_forms(part).get(form, ())
    for ending, other in _ENDINGS.get(part, ()):
        if form.endswith(ending) and len(form) > len(ending) + 1:
            stem = form[: -len(ending)]
            yield stem + other
            if ending in ("ed", "ing") and stem[-2:-1] == stem[-1:]:
                yield stem[:-1]


@cache
def _irregular_bases(part: str) -> dict[str, list[str]]:
    bases: dict[str, list[str]] = {}
    for form, own in wordnet.irregular_forms(part).items():
        for base in own:
            bases.setdefault(base, []).append(form)
    return bases


def _forms(part: str, base: str) -> tuple[str | None, ...] | None:
    """Return all forms of a word, or None if they are uncertain (an irregular verb that our list lacks)."""
    known = _irregular_bases(part).get(base, [])
    if part == "verb":
        return verbs().get(base) or (None if known else forms(part, base))
    if part == "noun":
        return (base, known[0]) if len(known) == 1 else None if known else forms(part, base)
    return (base,)


def _only_part(readings: list[tuple[str, str, int]]) -> str:
    """Return the part of speech of nearly all occurrences, or "" if none dominates."""
    seen = {(part, base): sum(wordnet.counts(base, part).values()) for part, base, _ in readings}
    total = sum(seen.values())
    parts = {part for part, _ in seen}
    if len(parts) == 1:
        return parts.pop()
    for part in parts:
        if sum(count for (own, _), count in seen.items() if own == part) >= max(_SEEN, _ONE_PART * total):
            return part
    return ""


def _synonyms(base: str, part: str) -> list[str]:
    senses = wordnet.synsets(base, part)
    if not _mostly_first(base, part, _ONE_SENSE, _SEEN):
        return []
    return [
        other
        for other in wordnet.members(senses[0], part)
        if other != base
        and _is_plain(other, part)
        and wordnet.synsets(other, part)[:1] == senses[:1]
        and (len(wordnet.synsets(other, part)) == 1 or _mostly_first(other, part, _SAME_SENSE, 1))
        and _only_part([(own, other, 0) for own in wordnet.PARTS if wordnet.synsets(other, own)]) == part
    ]


def _mostly_first(word: str, part: str, share: float, seen: int) -> bool:
    """Return whether the first sense of `word` was seen and has at least `share` of its tagged occurrences."""
    counts = wordnet.counts(word, part)
    return counts.get(1, 0) >= max(seen, share * sum(counts.values()))


def _is_plain(word: str, part: str) -> bool:
    """Return whether `word` can serve as a synonym: no abbreviation, name, function word or noun in -ing."""
    is_plain = len(word) > 3 and word.isascii() and word.isalpha() and word.islower() and word not in closed_class()
    return is_plain and not (part == "noun" and word.endswith("ing"))


def _is_common(word: str) -> bool:
    from wordfreq import zipf_frequency

    return bool(zipf_frequency(word, "en") >= _COMMON)
