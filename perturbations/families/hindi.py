"""Mood of Hindi and Hinglish sentences (question, request or statement), from their question words and verbs."""

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Literal
from unicodedata import normalize

from holdfast.language.hinglish import is_mixed
from holdfast.language.lexicon_tables import words_with
from holdfast.language.text import lower_words, words
from holdfast.language.word_tables import read_lines
from holdfast.perturbations.edits import Edit

Mood = Literal["question", "request", "statement"]

_BEHIND = 4  # maximum number of words after the verb of a request


def mood(sentence: str) -> Mood:
    """Return the mood of a sentence; a request that contains a question ("batao kab aaoge") counts as a request.

    >>> [mood(text) for text in ("Kal kab aaoge?", "Alarm laga do", "कृपया सूची बनाइए।", "Mera ghar dilli mein hai.")]
    ['question', 'request', 'request', 'statement']
    """
    found = _words(sentence)
    if _opens_with_tell(found) or (_request_verb(found) is not None and "?" not in sentence[-3:]):
        return "request"
    return "question" if "?" in sentence or question_words(sentence) else "statement"


def question_words(sentence: str) -> frozenset[str]:
    """Return the question words in a sentence.

    >>> question_words("Kal kab aaoge?")
    frozenset({'kab'})
    """
    return _listed("asking").intersection(_words(sentence))


def refuse(sentence: str) -> Edit | None:
    """Return the edit that negates a request ("mat"); None if no rule is sure to fit.

    >>> from holdfast.perturbations import Edits
    >>> [Edits(text, (refuse(text),)).text for text in ("Alarm laga do", "Ise delete karo.", "सूची बनाइए।")]
    ['Alarm mat lagao', 'Ise delete mat karo.', 'सूची मत बनाइए।']
    """
    spans = words(sentence)
    found = _words(sentence)
    at = _request_verb(found)
    if at is None or "?" in sentence or not (_NEGATIVE | words_with("hi-Latn", "trailing_not")).isdisjoint(found):
        return None
    start, end = spans[at]
    verb, refusal = found[at], "mat " if found[at].isascii() else "मत "
    if at > 0 and verb in _listed("light") and found[at - 1] in _listed("stem"):
        start = spans[at - 1][0]
        verb = _familiar(found[at - 1])
    elif verb in _listed("stem") and verb not in _listed("imperative"):
        verb = _familiar(verb)
    else:
        return Edit(start, "", refusal) if start > 0 else None
    return Edit(start, sentence[start:end], refusal + verb) if start > 0 else None


_NEGATIVE = frozenset("mat na मत न ना".split())
"""Negative words of requests, beside those of statements."""


def _familiar(stem: str) -> str:
    """Return the familiar imperative of a verb stem: laga, lagao; कर, करो."""
    if stem in ("de", "le", "दे", "ले"):
        return {"de": "do", "le": "lo", "दे": "दो", "ले": "लो"}[stem]
    if stem.isascii():
        return f"{stem}o"
    return stem + ("ओ" if stem.endswith("ा") else "ो")


def _request_verb(found: Sequence[str]) -> int | None:
    """Return the index of the verb of a request, at the end or before a clause; None if there is none."""
    last = len(found) - 1
    while last >= max(0, len(found) - _BEHIND) and found[last] in _listed("after"):
        last -= 1
    if last >= 0 and (_is_imperative(found[last]) or found[last] in _listed("stem")):
        return last
    for at, (word, following) in enumerate(pairwise(found)):
        if following in _listed("links") and _is_imperative(word) and word not in ("do", "दो", "lo", "लो"):
            return at
    return None


def _is_imperative(word: str) -> bool:
    is_polite = word.endswith(tuple(_listed("polite"))) and word not in _listed("not polite")
    return is_polite or word in _listed("imperative") or word in _listed("light")


def _opens_with_tell(found: Sequence[str]) -> bool:
    rest = [word for word in found[:4] if word not in ("please", "plz", "kripya", "mujhe", "zara", "कृपया", "मुझे", "ज़रा")]
    return rest[:1] != [] and rest[0] in ("batao", "bataiye", "btao", "बताओ", "बताइए", "बताइये")


def may_open_with_name(sentence: str) -> bool:
    """Return whether the first word of a Hinglish sentence may be a name, so that its capital must be kept.

    >>> may_open_with_name("Mera laptop kharab hai"), may_open_with_name("Delhi mein barish hai")
    (False, True)
    """
    first = next(iter(_words(sentence)), "")
    return not (is_mixed(first) or first in _listed("openings"))


@lru_cache(maxsize=1 << 10)
def _words(sentence: str) -> tuple[str, ...]:
    return tuple([normalize("NFC", word) for word in lower_words(sentence)])


@cache
def _listed(kind: str) -> frozenset[str]:
    lines = (line.partition(":") for line in read_lines("hindi_moods.txt", "holdfast.perturbations"))
    return frozenset(normalize("NFC", word) for name, _, listed in lines if name == kind for word in listed.split())
