"""Cuts answers into segments (sentences, clauses or phrases), each with its span and mass."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from runpy import run_path
from typing import Any, Literal

import regex

from holdfast.errors import UserError
from holdfast.language.sentences import Span, is_inside, sentence_spans, unsplittable_spans
from holdfast.language.unspaced import RANGES
from holdfast.metrics.parsing import Parse, without_surrogates

Granularity = Literal["sentence", "clause", "phrase"]
GRANULARITIES: tuple[Granularity, ...] = ("sentence", "clause", "phrase")

_CONJUNCTIONS = frozenset(
    "and but or so yet because although though while whereas since unless until if when before after which who "
    "और लेकिन पर या क्योंकि जबकि अगर तो aur lekin kyunki jabki agar".split()
)
_PREPOSITIONS = frozenset(
    "in on at by with from to for of into onto over under about between through during against across "
    "में पर से को के mein par se ko".split()
)
_CLAUSE_MARKS = tuple(",;:—–،؛、，；")
_CHUNK = regex.compile(r"\S+")
HAS_CONTENT = regex.compile(r"[\p{L}\p{N}]")
_HAS_SIGN = regex.compile(r"(?![©®™°])[\p{Extended_Pictographic}\p{So}\p{Regional_Indicator}]|:[()D]")
_UNSPACED = regex.compile(f"[{RANGES}]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of an answer: its text, its character span, and its mass (number of content tokens, at least 1)."""

    text: str
    start: int
    end: int
    mass: int


def segment(
    texts: Sequence[str], granularity: Granularity = "sentence", parses: Sequence[Parse] | None = None
) -> list[list[Segment]]:
    """Cut each text into segments.

    Clauses end at clause punctuation and before conjunctions, phrases also before prepositions, but never inside
    quotations or brackets. The mass of a segment is the number of its spaCy tokens that are neither punctuation nor
    stop words.

    Args:
        texts: The texts to cut.
        granularity: "sentence", "clause" or "phrase".
        parses: The texts parsed by a trained pipeline (`holdfast.metrics.parsing`), whose sentences are used; if None,
            sentences are found by rule (`holdfast.language.sentences`).

    Returns:
        The segments of each text; none for a text without letters, digits or emoji.

    Raises:
        UserError: If the granularity is unknown.

    >>> [part.text for part in segment(["Dr. Lee pays $4.5 million. Bo stays."])[0]]
    ['Dr. Lee pays $4.5 million.', 'Bo stays.']
    >>> [part.text for part in segment(["Anna cooks, and Ben pays 1,000 euros."], "clause")[0]]
    ['Anna cooks,', 'and Ben pays 1,000 euros.']
    """
    if granularity not in GRANULARITIES:
        raise UserError(f"unknown granularity '{granularity}'; expected one of {', '.join(GRANULARITIES)}")
    if parses is None:
        return [[*_by_rule(text, granularity)] for text in texts]
    return [_segments(text, found.sentences, granularity) for text, found in zip(texts, parses, strict=True)]


@lru_cache(maxsize=1 << 12)
def _by_rule(text: str, granularity: Granularity) -> tuple[Segment, ...]:
    """Return the segments of a text; cached, since a clean answer is compared with many variants."""
    return tuple(_segments(text, sentence_spans(text), granularity))


def _segments(text: str, sentences: Iterable[Span], granularity: Granularity) -> list[Segment]:
    content = HAS_CONTENT if HAS_CONTENT.search(text) else _HAS_SIGN
    spans = sentences
    if granularity != "sentence":
        spans = [span for sentence in sentences for span in _cut(text, sentence, granularity)]
    merged: list[Span] = []
    for start, end in spans:
        if merged and not (content.search(text, start, end) and content.search(text, *merged[-1])):
            merged[-1] = merged[-1][0], end
        else:
            merged.append((start, end))
    return [as_segment(text, *span) for span in merged if content.search(text, *span)]


def _cut(text: str, sentence: Span, granularity: Granularity) -> Iterator[Span]:
    start, end = sentence
    if text.startswith("```", start):
        yield sentence
        return
    whole = unsplittable_spans(text[start:end])
    enough = 1 if granularity == "phrase" else 2
    words, before = 0, ""
    for chunk in _CHUNK.finditer(text, *sentence):
        word = chunk.group()
        opens = before.endswith(_CLAUSE_MARKS) or word.lower() in _CONJUNCTIONS
        opens = opens or (granularity == "phrase" and word.lower() in _PREPOSITIONS)
        if opens and words >= enough and not is_inside(whole, chunk.start() - sentence[0]):
            yield start, chunk.start()
            start, words = chunk.start(), 0
        words += bool(HAS_CONTENT.search(word))
        before = word
    yield start, end


def as_segment(text: str, start: int, end: int, before: int = 0) -> Segment:
    """Return `text[start:end]` without surrounding white space as a segment.

    Args:
        text: The text to cut from.
        start: First character of the piece.
        end: End of the piece, exclusive.
        before: The offset of `text` in the whole answer; added to the segment's span.
    """
    piece = text[start:end]
    start += before + len(piece) - len(piece.lstrip())
    piece = piece.strip()
    return Segment(piece, start, start + len(piece), max(1, sum(map(_content_tokens, piece.split()))))


@lru_cache(maxsize=1 << 16)
def _content_tokens(chunk: str) -> int:
    """Count the content tokens of a chunk without spaces, which is as far as spaCy's tokenizer looks.

    In scripts without spaces, two characters count as one token.
    """
    bare = chunk.strip('"()').rstrip('.,;:!?"()')
    initial = "." in chunk and bare[-1:].isupper()
    if bare.isascii() and "." not in bare and not initial:  # what spaCy finds, ten times faster
        if bare.isdecimal():
            return 1
        parts = bare.removesuffix("'s").split("-")
        if all(map(str.isalpha, parts)):
            return sum(part.lower() not in _stop_words() for part in parts)
    chunk = without_surrogates(chunk)
    tokens = _tokenizer("hi" if "\u0900" <= chunk[0] <= "\u097f" else "en")(chunk)
    return max(
        sum(not (token.is_stop or token.is_punct) for token in tokens),
        len(_UNSPACED.findall(chunk)) // 2,
    )


@cache
def _tokenizer(language: str) -> Any:
    import spacy

    return spacy.blank(language)


@cache
def _stop_words() -> frozenset[str]:
    """Return spaCy's English stop words from its file: importing spaCy takes seconds, since it imports torch."""
    [folder] = find_spec("spacy").submodule_search_locations  # type: ignore[union-attr, misc]
    found: set[str] = run_path(f"{folder}/lang/en/stop_words.py")["STOP_WORDS"]
    return frozenset(found)
