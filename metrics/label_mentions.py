"""Finds the labels that a text mentions, in any script, also where they are signs or emoji."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

import regex

from holdfast.language.detection import language_of
from holdfast.language.grammar import closed_class, is_sentence_start
from holdfast.language.lexicon_tables import words_with
from holdfast.language.text import cluster_starts
from holdfast.language.unspaced import RANGES
from holdfast.metrics.denial import HIDDEN, is_denied, is_harmless, phrases_of

_MARGINS = " \t\r\n.,:;!?()[]{}\"'“”«»。，、：；！？"
"""Punctuation around a label that a text may leave out."""
_SAME = {0xFE0E: None, 0xFE0F: None, ord("’"): "'"}
_GAP = regex.compile(r"(?<=[\p{L}\p{M}\p{N}])[\s_\-]+(?=[\p{L}\p{M}\p{N}])")
_GAPS = regex.compile(r"[\s_\-]+")
_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{RANGES}]]"
_CLITICS = frozenset("t s m d re ve ll".split())
_NEXT_WORD = regex.compile(r"[ \t]+([\p{L}][\p{L}\p{M}'’]*)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A label in a text, in the form of `label_form`, and its span."""

    label: str
    start: int
    end: int


def affirmed_labels(text: str, labels: Sequence[str]) -> set[str]:
    """Return the labels that a text affirms, in the form of `label_form`: mentions, and neither denies nor asks about.

    >>> affirmed_labels("It is not positive, it is negative.", ["positive", "negative"])
    {'negative'}
    >>> affirmed_labels("A careful reading gives B.", ["A", "B"])
    {'b'}
    """
    plain = _plain(text)
    found = mentions(plain, labels)
    hidden = list(plain)
    for one in found:  # so that the label "no" denies no other label
        hidden[one.start : one.end] = HIDDEN * (one.end - one.start)
    rest = "".join(hidden)
    return {one.label for one in found if not is_denied(rest, one.start, one.end)}


def label_form(label: str) -> str:
    """Return a label as it is compared: case-folded, without punctuation around it; that stays if nothing else is left.

    >>> label_form("(Yes.)"), label_form("C++"), label_form("?")
    ('yes', 'c++', '?')
    """
    plain = " ".join(_folded(_plain(label))[0].split())
    return plain.strip(_MARGINS) or plain


def mentions(text: str, labels: Sequence[str]) -> list[Mention]:
    """Return the labels that a text mentions as whole words or signs; of overlapping ones, the first and longest.

    A label counts inside a run of a script without spaces, but not inside a word of another script, and not where it is
    an article, a pronoun or another small word: "A careful reading", "I think", "no problem".

    Args:
        text: The text, normalised.
        labels: The labels.
    """
    folded, places = _folded(text)
    squeezed = _squeeze(folded)
    forms = tuple(form for form in _forms(tuple(labels)) if _squeeze(form) in squeezed)
    if not forms:
        return []
    matches = [one for one in _pattern(forms).finditer(folded) if one.start() in places and one.end() in places]
    found = (Mention(forms[int(one.lastgroup[1:])], places[one.start()], places[one.end()]) for one in matches)
    return [one for one in found if not _is_small_word(text, one)]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text.translate(_SAME)).translate(_SAME)


def _folded(text: str) -> tuple[str, Mapping[int, int]]:
    """Return the text in one case, and the place in `text` of each of its graphemes' borders.

    Case-folding may change a text's length ("ß", "İ"), and decomposes some letters, which are put together again.
    """
    cuts = cluster_starts(text)
    pieces = [unicodedata.normalize("NFC", text[i:j].casefold()) for i, j in pairwise(cuts)]
    return "".join(pieces), dict(zip(accumulate(map(len, pieces), initial=0), cuts, strict=True))


def _squeeze(text: str) -> str:
    """Return a text without what may differ inside a label, to skip the labels that it can't hold."""
    return str(_GAPS.sub("", text))


@lru_cache(maxsize=1024)
def _forms(labels: tuple[str, ...]) -> list[str]:
    """Return the forms of the labels, the longest first."""
    return sorted({form for form in map(label_form, labels) if form}, key=lambda form: (-len(form), form))


@lru_cache(maxsize=1024)
def _pattern(forms: tuple[str, ...]) -> Any:
    parts = "|".join(f"(?P<n{i}>{part})" for i, part in enumerate(map(_part, forms)))
    return regex.compile(parts, regex.V1)


def _part(form: str) -> str:
    """Return the pattern of a label with its borders."""
    words = r"[\s_\-]+".join(r"\s+".join(map(regex.escape, piece.split())) for piece in _GAP.split(form))
    before, after = "".join(_borders(form, 0)), "".join(_borders(form, -1))
    return f"{before}{words}{after}[\U0001f3fb-\U0001f3ff]*"


def _borders(form: str, edge: int) -> Iterator[str]:
    """Yield what must not stand directly before (edge 0) or after (edge -1) a label."""
    first, letter = edge == 0, form[edge]
    kind = unicodedata.category(letter)
    outside = "(?<!{})" if first else "(?!{})"
    if kind[0] in "PS" and kind != "So":
        yield outside.format(f"(?:{_WORD}|{regex.escape(letter)})")
    elif kind[0] in "LMN":
        hangul = regex.match(r"\p{Hangul}", letter)
        if not regex.match(f"[{RANGES}]", letter):
            if hangul and not first:
                yield rf"(?=(?:{'|'.join(phrases_of('ko', 'particle'))})?(?!{_WORD}))"
            else:
                yield outside.format(_WORD if hangul else rf"[{_WORD}--\p{{Hangul}}]")
        if letter.isdecimal():
            yield r"(?<!\d[.,])(?<!(?<!\w)[\-−])" if first else r"(?![.,]\d)"
        if form in _CLITICS and first:
            yield "(?<!')"
        if not first:
            yield r"(?!'t(?!\w))"
        if len(form) == 1 and letter.isalpha():
            yield r"(?<!\w-)" if first else r"(?!['-]\w)"


def _is_small_word(text: str, found: Mention) -> bool:
    """Return whether a mention is no label but an article, a pronoun, a preposition or a negation."""
    language = language_of(text)
    negative = found.label in phrases_of("en", "near") | phrases_of(language, "near")
    if negative and is_harmless(text, found.start, found.end):
        return True
    following = _NEXT_WORD.match(text, found.end)
    if not following or not (negative or _is_letter_word(found.label, language)):
        return False
    if following[1].lower() in _verbs(found.label, language):
        return False
    opens = is_sentence_start(text, found.start)
    if negative:
        return not opens
    return opens or text[found.start : found.end].islower() or found.label == "i"


def _is_letter_word(label: str, language: str) -> bool:
    return len(label) == 1 and label in words_with(language, "small")


def _verbs(label: str, language: str) -> frozenset[str]:
    """Return the words before which a letter is no article or pronoun: A is right, A because."""
    verbs = phrases_of(language, "be") | phrases_of("en", "be") | closed_class("conjunction")
    if label == "i":
        return verbs - {"was", "were", "are"}
    return verbs | closed_class("modal", "have", "do", "subject", "possessive", "object", "question") - {"her"}
