"""Grammatical clues about an English word from its neighbours, without a tagger."""

import re
from functools import cache

from holdfast.language.text import words
from holdfast.language.word_tables import read_lines

_LOOK = 32  # number of characters to examine on either side of a word


@cache
def closed_class(*names: str) -> frozenset[str]:
    """Return the words of the given closed classes, or of all closed classes if none is given.

    >>> sorted(closed_class("be"))[:3], "the" in closed_class(), "house" in closed_class()
    (['am', 'are', 'be'], True, False)
    """
    classes = dict(line.split(": ") for line in read_lines("closed_class_en.txt"))
    return frozenset(word for name in names or classes for word in classes[name].split())


def part_of_speech(text: str, start: int, end: int) -> str:
    """Return the part of speech of the word `text[start:end]`, judging by its neighbours.

    A noun stands between a determiner and a function word or punctuation; a verb after a subject or a modal, or between
    "to" or a sentence start and a determiner; an adjective before a content word, or after "is" or "very".

    Returns:
        "noun", "verb" (in its base form) or "adj"; "" if the neighbours don't decide.

    >>> text = "They answer the phone; the answer is no. Answer me, to answer a call; most answer."
    >>> [part_of_speech(text, start, end) for start, end in words(text) if text[start:end].lower() == "answer"]
    ['verb', 'noun', 'verb', 'verb', '']
    """
    before, after = word_before(text, start), word_after(text, end)
    if before in _BEFORE_NOUN and (not after or after in _after_noun()):
        return "noun"
    if before in _SUBJECT or before in closed_class("modal", "courtesy"):
        return "verb"
    opens = before == "to" or (not before and is_sentence_start(text, start))
    if opens and after in closed_class("determiner", "possessive", "object"):
        return "verb"
    if before in ("how", "years", "to") or text[start - 2 : start - 1].isdigit():
        return ""
    describes = bool(after) and after not in closed_class() and before in closed_class()
    return "adj" if describes or (before in _BEFORE_ADJECTIVE and (not after or after in closed_class())) else ""


_BEFORE_NOUN = frozenset("a an the this these those every each another no any my your his its our their".split())
_BEFORE_ADJECTIVE = frozenset("am is are was were be been being very so too quite really".split())
_SUBJECT = frozenset("i we they he she who don't doesn't didn't can't won't couldn't wouldn't shouldn't let's".split())


@cache
def _after_noun() -> frozenset[str]:
    return closed_class() - closed_class("possessive", "determiner", "object")


def word_before(text: str, start: int) -> str:
    """Return the lower-case word before `start`; "" if there is none or punctuation intervenes.

    >>> word_before("Wo ist die Tür?", 11), word_before("Hindi में क्या", 10), word_before("no, thanks", 4)
    ('die', 'में', '')
    """
    seen = text[max(0, start - _LOOK) : start]
    before = seen.rstrip()
    spans = words(before) if before != seen else []
    return _lower(before, spans[-1]) if spans and spans[-1][1] == len(before) else ""


def word_after(text: str, end: int) -> str:
    """Return the lower-case word after `end`; "" if there is none or punctuation intervenes.

    >>> word_after("I don’t know", 1), word_after("no - thanks", 2)
    ("don't", '')
    """
    seen = text[end : end + _LOOK]
    after = seen.lstrip()
    spans = words(after) if after != seen else []
    return _lower(after, spans[0]) if spans and spans[0][0] == 0 else ""


def _lower(text: str, span: tuple[int, int]) -> str:
    return text[slice(*span)].lower().replace("’", "'")


_SENTENCE_START = re.compile(r"(?:\A|[.!?:।\n][\"'”’)]*)\s*$")


def is_sentence_start(text: str, start: int) -> bool:
    """Return whether a sentence, a line or a quotation starts at `start`.

    >>> is_sentence_start("Go. Stay", 4), is_sentence_start("Go on", 3)
    (True, False)
    """
    return start == 0 or _SENTENCE_START.search(text, max(1, start - 8), start) is not None


_ARTICLE_ENDS = frozenset("aAnN \t\n")
_ARTICLE = re.compile(r"\b(an?)\s+$", re.IGNORECASE)


def fits_article(text: str, start: int, word: str) -> bool:
    """Return whether `word` agrees with an article before `start`: a vowel sound after "an", a consonant after "a".

    >>> fits_article("an easy", 3, "simple"), fits_article("the easy", 4, "simple")
    (False, True)
    """
    if text[start - 2 : start - 1] not in _ARTICLE_ENDS:
        return True
    article = _ARTICLE.search(text[max(0, start - 4) : start])
    return article is None or (article[1].lower() == "an") == _takes_an(word)


def _takes_an(word: str) -> bool:
    return word.startswith(("hon", "hour")) or (word[0] in "aeiou" and not word.startswith(("eu", "one", "uni", "us")))


def may_be_capitalised(text: str, start: int, end: int) -> bool:
    """Return whether an ordinary word may be capitalised here, so that its capital doesn't mark a name.

    That is so at the start of a sentence, unless the next word is capitalised too, and in all-capitals words.
    """
    word = text[start:end]
    if word.isupper() and len(word) > 1:
        return True
    if not word[1:].islower() or not is_sentence_start(text, start):
        return False
    return not next(iter(text[end : end + 24].split()), "")[:1].isupper()


def match_case(word: str, other: str) -> str:
    """Return `other` with the capitalisation of `word`.

    >>> match_case("Big", "large"), match_case("BIG", "large"), match_case("big", "large")
    ('Large', 'LARGE', 'large')
    """
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other[0].upper() + other[1:] if word[0].isupper() else other
