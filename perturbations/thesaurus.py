"""Which words may stand in for a word, in its form and its place in the text."""

import re
from collections.abc import Sequence
from functools import cache
from unicodedata import normalize

from holdfast.perturbations.inflection import forms
from holdfast.perturbations.tables import read_lines
from holdfast.perturbations.text import Span

# After a verb or an adjective these change its sense: look for, rich in, provided that.
_BINDING = frozenset(
    {
        "about",
        "after",
        "apart",
        "at",
        "away",
        "back",
        "by",
        "down",
        "for",
        "from",
        "in",
        "into",
        "of",
        "off",
        "on",
        "out",
    }
    | {"over", "that", "through", "to", "together", "up", "with"}
)
_FREE_OF_PARTICLES = ("noun", "adv", "other")


def alternatives(text: str, spans: Sequence[Span], index: int) -> list[str]:
    """What may stand for the word at `spans[index]`, written as that word is; [] for unlisted words and for names.

    >>> text = "He chose an easy path, but Rich looked for Big Ben."
    >>> spans = [(0, 2), (3, 8), (9, 11), (12, 16), (17, 21), (23, 26), (27, 31), (32, 38)]
    >>> [alternatives(text, spans, index) for index in (1, 3, 4, 6)]
    [['selected'], [], ['route'], []]
    """
    start, end = spans[index]
    word = text[start:end]
    lower = word.lower()
    found = synonym_table().get(lower if lower.isascii() else normalize("NFC", lower))
    if not found:
        return []
    replacements, is_bound = found
    if word != lower and not _may_be_capitalised(text, start, end):
        return []
    if is_bound and _next_word(text, end) in _BINDING:
        return []
    if lower.isascii():
        article = _ARTICLE.search(text, max(0, start - 4), start)
        if article:
            vowel = article[1].lower() == "an"
            replacements = [other for other in replacements if _takes_an(other) == vowel]
    return [_written_like(word, other) for other in replacements]


_ARTICLE = re.compile(r"\b(an?)\s+$", re.IGNORECASE)


def _takes_an(word: str) -> bool:
    return word.startswith(("hon", "hour")) or (word[0] in "aeiou" and not word.startswith(("eu", "one", "uni", "us")))


_SENTENCE_START = re.compile(r"(?:\A|[.!?:।\n][\"'”’)]*)\s*$")


def _may_be_capitalised(text: str, start: int, end: int) -> bool:
    """Whether a capital means no name here: at the start of a sentence, before a small letter; or in all capitals."""
    word = text[start:end]
    if word.isupper() and len(word) > 1:
        return True
    if not word[1:].islower() or not _SENTENCE_START.search(text, max(0, start - 8), start):
        return False
    following = _next_token(text, end)
    return not following[:1].isupper()


def _next_word(text: str, end: int) -> str:
    return _next_token(text, end).strip(".,;:!?").lower()


def _next_token(text: str, end: int) -> str:
    return next(iter(text[end : end + 24].split()), "")


def _written_like(word: str, other: str) -> str:
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other[0].upper() + other[1:] if word[0].isupper() else other


@cache
def synonym_table() -> dict[str, tuple[list[str], bool]]:
    """Each form of each listed word, with its replacements and whether a particle after it changes its sense.

    A form that belongs to several parts of speech keeps only what serves in all of them, and a form with two jobs
    (`bought`: past and participle) only words whose one form does both.
    """
    table: dict[str, dict[str, list[str]]] = {}
    for name in ("synonyms_en.txt", "synonyms_hi.txt", "synonyms_hinglish.txt"):
        for line in read_lines(name):
            kind, _, entry = line.partition(":")
            if kind == "never":
                table.update({form.strip(): {kind: []} for form in entry.split(",")})
                continue
            for word, others in _directions(normalize("NFC", entry)):
                own = forms(kind, word)
                for form in filter(None, own):
                    slots = [slot for slot, other in enumerate(own) if other == form]
                    fitting = [_in_slots(forms(kind, other), slots) for other in others]
                    known = table.setdefault(form, {}).setdefault(kind, [])
                    known += [other for other in fitting if other and other != form and other not in known]
    return {
        form: (shared, not set(kinds) <= set(_FREE_OF_PARTICLES))
        for form, kinds in table.items()
        if (shared := _common(list(kinds.values())))
    }


def _directions(entry: str) -> list[tuple[str, list[str]]]:
    """`a = b` both ways, `a > b, c` one way."""
    if ">" in entry:
        word, _, others = entry.partition(">")
        return [(word.strip(), [other.strip() for other in others.split(",")])]
    group = [word.strip() for word in entry.split("=")]
    return [(word, [other for other in group if other != word]) for word in group]


def _in_slots(word_forms: Sequence[str | None], slots: Sequence[int]) -> str | None:
    found = {word_forms[slot] for slot in slots}
    return found.pop() if len(found) == 1 else None


def _common(lists: list[list[str]]) -> list[str]:
    return [word for word in lists[0] if all(word in other for other in lists[1:])]
