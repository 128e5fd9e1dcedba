"""Whether a text denies what stands at a place in it: "not positive", "neither A nor B", "B is wrong"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import Any

import regex

from holdfast.language.detection import language_of
from holdfast.language.lexicon_tables import known_words, words_with
from holdfast.language.text import lower_words
from holdfast.language.unspaced import RANGES, is_unspaced

_BEFORE = frozenset({"deny", "near", "harmless", "break"})
FAR, NEAR = 5, 2
"""The largest number of words between a denial and what it denies."""
HIDDEN = "\ue000"
"""What stands for each character of a label, so that no label is read as a denial."""
WINDOW = 300
"""How many characters on either side are read."""

_CLAUSE_END = regex.compile(
    rf"[.,:](?=\s|$)|[,:](?=[{RANGES}])|(?<=[{RANGES}])[,:]|[;!?…。，；：！？।॥؟،؛\n—–]|\((?!.\))|(?<!\(.)\)"
)
_SENTENCE_END = regex.compile(r"[.!](?=\s|$)|[?…。！？।॥؟\n]")
_ALSO = regex.compile(
    rf"(?:(?:\s*(?:,|/|&|\b(?:and|or)\b))+[\s\"'”*_(]*{HIDDEN}+[\s\"'”*_)]*)+(?=(?:are|were|would|can)\b)"
)
"""Further labels before a denial of them all: "A and B are wrong"."""
_NEXT_CLAUSE = regex.compile(r"\s*,\s*(?:and|or)\b")
_IN_LIST = regex.compile(rf"{HIDDEN}[\s\"'”*_)]*,[\s\"'”*_(]*\Z")
_LETTER = r"[\p{L}\p{M}\p{N}]"


def is_denied(text: str, start: int, end: int) -> bool:
    """Return whether `text[start:end]` is denied, or only asked about.

    A denial covers what follows it in the same clause, up to a word like "but"; some follow what they deny.

    Args:
        text: The text, with straight apostrophes and its labels hidden (`HIDDEN`).
        start: The first character.
        end: The end, exclusive.

    >>> text = "Is it B? It is not A but C."
    >>> [is_denied(text, text.index(label), text.index(label) + 1) for label in "ABC"]
    [True, True, False]
    """
    phrases = denial_phrases(language_of(text))
    text, start, end = _window(text, start, end)
    asked = _SENTENCE_END.search(text, end)
    if asked and asked.group() in "?？؟" and not phrases.tag.search(text, end, asked.start()):
        return True
    alone = _NEXT_CLAUSE.match(text, end) and not _IN_LIST.search(text, 0, start)  # A, and B or C are wrong
    others = None if alone else _ALSO.match(text, end)
    behind = others.end() if others else end
    clause_end = _CLAUSE_END.search(text, behind)
    after = text[behind : clause_end.start() if clause_end else len(text)]
    if phrases.after.match(after):
        return True
    ends = takewhile(lambda place: place <= start, (found.end() for found in _CLAUSE_END.finditer(text)))
    clause_start = max(ends, default=0)
    return _covers(phrases, text[clause_start:start])


def is_harmless(text: str, start: int, end: int) -> bool:
    """Return whether the negation `text[start:end]` answers nothing, as part of a phrase: no doubt, no one."""
    phrases = denial_phrases(language_of(text))
    text, start, end = _window(text, start, end)
    found = [one for one in phrases.before.finditer(text) if one.lastgroup == "harmless"]
    return any(one.start() <= start and end <= one.end() for one in (*found, *phrases.compound.finditer(text)))


@cache
def phrases_of(language: str, kind: str) -> frozenset[str]:
    """Return the phrases of one kind in a language, from metrics/data/denials.txt."""
    return frozenset(phrase for phrase, its in _rows().get(language, {}).items() if kind in its)


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    first = max(0, start - WINDOW)
    return text[first : end + WINDOW], start - first, end - first


def _covers(phrases: Phrases, before: str) -> bool:
    """Return whether a denial in the clause before a place reaches the place."""
    last = None
    for found in phrases.before.finditer(before):
        if found.lastgroup != "harmless":
            last = None if found.lastgroup == "break" else found
    if last is None:
        return False
    between = lower_words(before[last.end() :])
    if last.lastgroup == "near":
        return len(between) <= NEAR and phrases.verbs.isdisjoint(between)
    return len(between) <= FAR


class Phrases:
    """The phrases that matter in a text of one language, as patterns.

    Attributes:
        before: Finds what may stand before a place; the groups are the kinds deny, near, harmless and break.
        after: Matches a denial that follows directly.
        compound: Finds phrases in which a negation is no answer by itself.
        tag: Finds what turns a statement into a question at its end.
        verbs: Verbs of being.
    """

    def __init__(
        self,
        kinds: Mapping[str, str],
        after: Sequence[str],
        compounds: Iterable[str],
        tags: Iterable[str],
        verbs: frozenset[str],
    ) -> None:
        ranked = sorted(kinds, key=len, reverse=True)
        found = "|".join(_whole(phrase, kinds[phrase]) for phrase in ranked)
        self.before: Any = regex.compile(rf"{found}|(?P<deny>{_LETTER}+n't(?!{_LETTER}))", regex.IGNORECASE)
        late = "|".join(_whole(phrase, "after") for phrase in sorted(after, key=len, reverse=True))
        self.after: Any = regex.compile(rf"[\s\"'”*_)]*(?:{late})", regex.IGNORECASE)
        joined = "|".join(_whole(phrase, "compound") for phrase in compounds)
        self.compound: Any = regex.compile(joined, regex.IGNORECASE)
        self.tag: Any = regex.compile(rf",\s*(?:{'|'.join(map(regex.escape, tags))})\s*\Z", regex.IGNORECASE)
        self.verbs = verbs


@cache
def denial_phrases(language: str) -> Phrases:
    """Return the phrases for a text in a language: its own, the English ones, and those with letters of their own."""
    kinds: dict[str, str] = {}
    after: list[str] = []
    others = [code for code, phrases in _rows().items() if not _is_latin(phrases)]
    languages = [*others, "en", *([language] if language in _rows() else [])]
    for code in languages:
        own = _rows()[code]
        negative, trailing = (
            {word for word in words_with(code, job) if "_" not in word and _belongs(word, own)}
            for job in ("not", "trailing_not")
        )
        late = phrases_of(code, "after") | trailing
        after += late
        kinds |= dict.fromkeys(negative - late, "deny")
        if any(map(is_unspaced, negative)):
            known = known_words(code) - negative
            kinds |= {word: "harmless" for word in known if any(one in word for one in negative)}
        kinds |= {phrase: kind for phrase, its in own.items() for kind in its if kind in _BEFORE}
    verbs = phrases_of("en", "be") | phrases_of(language, "be") | {"it", "that", "this"}
    compounds, tags = (phrases_of("en", kind) | phrases_of(language, kind) for kind in ("compound", "tag"))
    return Phrases(kinds, after, compounds, tags, verbs)


def _belongs(word: str, own: Mapping[str, object]) -> bool:
    """Return whether a word is in the script of a language's phrases; word lists of most languages hold English too."""
    return word.isascii() <= _is_latin(own)


def _is_latin(phrases: Mapping[str, object]) -> bool:
    """Return whether phrases are in letters that many languages share; those of Vietnamese show where they apply."""
    text = "".join(phrases)
    return regex.search(r"\p{Latin}", text) is not None and regex.search("[\u1ea0-\u1ef9]", text) is None


def _whole(phrase: str, kind: str) -> str:
    words = r"\s+".join(map(regex.escape, phrase.split()))
    if is_unspaced(phrase) or (kind == "after" and regex.search(r"\p{Hangul}", phrase)):
        return f"(?P<{kind}>{words})"
    return f"(?P<{kind}>(?<!{_LETTER}){words}(?!{_LETTER}))"


@cache
def _rows() -> dict[str, dict[str, list[str]]]:
    """Return the phrases of each language with their kinds."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in files("holdfast.metrics").joinpath("data/denials.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            head, _, phrases = line.partition(": ")
            language, kind = head.split()
            for phrase in phrases.split("|"):
                found.setdefault(language, {}).setdefault(phrase, []).append(kind)
    return found
