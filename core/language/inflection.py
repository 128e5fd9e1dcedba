"""English inflection, used to replace a word while keeping its form, and to find its base form."""

from collections.abc import Mapping
from functools import cache

from holdfast.language.word_tables import read_lines, sides_of

Forms = tuple[str | None, ...]

_VOWELS = frozenset("aeiou")

_LEAST, _MOST = 1 / 3, 30
"""How many times as common as its superlative a comparative may be."""


def forms(part_of_speech: str, given: str) -> Forms:
    """Return all forms of a word, in a fixed order per part of speech.

    Args:
        part_of_speech: "noun", "verb" or "adj"; any other part of speech has only its base form.
        given: The base form. That of an adjective is followed by comparative and superlative after slashes, if it has
            them. Irregular nouns and verbs are in `data/irregular_en.txt`.

    Returns:
        Noun: singular, plural. Verb: base, third person, -ing form, past, participle. Adjective: base, comparative,
        superlative (None if not given).

    >>> forms("noun", "city"), forms("noun", "child"), forms("adj", "big/bigger/biggest")
    (('city', 'cities'), ('child', 'children'), ('big', 'bigger', 'biggest'))
    >>> forms("verb", "stop")
    ('stop', 'stops', 'stopping', 'stopped', 'stopped')
    >>> forms("verb", "choose"), forms("verb", "go")
    (('choose', 'chooses', 'choosing', 'chose', 'chosen'), ('go', 'goes', 'going', 'went', 'gone'))
    """
    base, *others = given.strip().split("/")
    irregular = others or irregular_words().get(part_of_speech, {}).get(base, ())
    if part_of_speech == "noun":
        return base, irregular[0] if irregular else _with_s(base)
    if part_of_speech == "verb":
        past, participle = irregular[:2] if irregular else [_with_e(base) + "d"] * 2
        third = base + "es" if base.endswith("o") and base[-2:-1] not in _VOWELS else _with_s(base)
        return base, third, irregular[2] if irregular[2:] else _ing(base), past, participle
    if part_of_speech == "adj":
        return base, *(others or (None, None))
    return (base,)


@cache
def irregular_words() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return the irregular forms of each base form, by the kinds of `data/irregular_en.txt`: noun, verb, also.

    >>> irregular_words()["verb"]["begin"], irregular_words()["also"]["burn"]
    (('began', 'begun', 'beginning'), ('burnt',))
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for line in read_lines("irregular_en.txt"):
        kind, _, entries = line.partition(": ")
        for base, *others in (entry.split("/") for entry in entries.split()):
            found.setdefault(kind, {})[base] = tuple(others)
    return found


@cache
def irregular_forms() -> dict[str, str]:
    """Return irregular English forms with their base forms."""
    found: dict[str, str] = {}
    for kind, words in irregular_words().items():
        for base, others in words.items():
            for form in (*others, *forms(kind, base)) if kind == "verb" else others:
                if form and form != base:
                    found.setdefault(form, base)
    return found


@cache
def graded_forms() -> dict[str, str]:
    """Return comparatives and superlatives with their base forms: `higher` and `highest` map to `high`.

    A word has them if both are about equally common; so "lover" is no form of "love", and "earnest" none of "earn".

    >>> graded_forms()["driest"], graded_forms()["bigger"], "lover" in graded_forms()
    ('dry', 'big', False)
    """
    from wordfreq import get_frequency_dict

    counts, found = get_frequency_dict("en"), dict[str, str]()
    for word in sorted({word for _, sides in sides_of("antonyms_en.txt") for side in sides for word in side}):
        higher, highest = _with_e(word) + "r", _with_e(word) + "st"
        if highest in counts and _LEAST <= counts.get(higher, 0.0) / counts[highest] <= _MOST:
            found |= {higher: word, highest: word}
    return found


def is_superlative(word: str) -> bool:
    """Return whether an English word in lower case is a superlative, as far as its form tells.

    >>> [is_superlative(word) for word in ("busiest", "best", "most", "forest", "interest", "west")]
    [True, True, True, False, False, False]
    """
    from wordfreq import get_frequency_dict

    if word in ("best", "worst", "most", "least"):
        return True
    counts = get_frequency_dict("en")
    return word.endswith("est") and counts.get(f"{word[:-2]}r", 0.0) > counts.get(word, 1.0) / _MOST


def _with_s(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if _ends_in_consonant_y(word) else word + "s"


def _ing(verb: str) -> str:
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "ye", "oe")):
        return verb[:-1] + "ing"
    return _doubled(verb) + "ing"


def _with_e(word: str) -> str:
    """Return what -d, -r and -st follow: stoppe(d), trie(d), large(r), bigge(st)."""
    if word.endswith("e"):
        return word
    return word[:-1] + "ie" if _ends_in_consonant_y(word) else _doubled(word) + "e"


def _doubled(word: str) -> str:
    """Double the last consonant of words of one short syllable (stop, big) but not of others (help, visit)."""
    short = word[-2:-1] in _VOWELS and word[-3:-2] not in _VOWELS
    one_syllable = sum(letter in _VOWELS for letter in word) == 1
    return word + word[-1] if short and one_syllable and word[-1] not in "aeiouwxy" else word


def _ends_in_consonant_y(word: str) -> bool:
    return len(word) > 1 and word[-1] == "y" and word[-2] not in _VOWELS
