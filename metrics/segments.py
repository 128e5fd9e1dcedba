"""Cutting an answer into segments: sentences, clauses or phrases, by spaCy, each with its span and its mass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Literal

import regex

from holdfast.errors import UserError

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
_CLAUSE_MARKS = frozenset({",", ";", ":", "—", "–", "،", "؛", "、", "，", "；"})
_QUOTES = {'"': '"', "“": "”", "«": "»", "„": "“", "「": "」"}
_ITEM = regex.compile(r"\(?(?:\p{Nd}{1,3}|\p{L})[.)]")
_HAS_CONTENT = regex.compile(r"[\p{L}\p{N}]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of an answer: its text, where it stands (characters), and its mass (content tokens, at least 1)."""

    text: str
    start: int
    end: int
    mass: int


def segment(
    texts: Sequence[str], granularity: Granularity = "sentence", pipeline: str | None = None
) -> list[list[Segment]]:
    """Cut each text into segments; a text without any letter or digit has none.

    `pipeline` names an installed trained spaCy pipeline, which then finds the sentences; by default rules do, which
    know the sentence marks of many scripts but the stop words of English only. Raises UserError for an unknown
    granularity or a pipeline that is not installed.

    >>> [part.text for part in segment(["Dr. Lee pays $4.5 million. Bo stays."])[0]]
    ['Dr. Lee pays $4.5 million.', 'Bo stays.']
    >>> [part.text for part in segment(["Anna cooks, and Ben pays 1,000 euros."], "clause")[0]]
    ['Anna cooks,', 'and Ben pays 1,000 euros.']
    """
    if granularity not in GRANULARITIES:
        raise UserError(f"unknown granularity '{granularity}': use one of {', '.join(GRANULARITIES)}")
    nlp = _pipeline(pipeline)
    return [_segments(doc, granularity) for doc in nlp.pipe(map(_without_surrogates, texts), batch_size=64)]


def _segments(doc: Any, granularity: Granularity) -> list[Segment]:
    spans = [span for sentence in _sentences(doc) for span in _cut(sentence, granularity)]
    merged: list[Any] = []
    for span in spans:
        if merged and (not _HAS_CONTENT.search(span.text) or _needs_more(doc, merged[-1])):
            merged[-1] = doc[merged[-1].start : span.end]
        else:
            merged.append(span)
    return [_as_segment(span) for span in merged if _HAS_CONTENT.search(span.text)]


def _needs_more(doc: Any, span: Any) -> bool:
    """Whether a piece is only the beginning of one: no letter or digit yet, or the number of a list's item."""
    opens_line = span.start == 0 or "\n" in doc[span.start - 1].text
    return not _HAS_CONTENT.search(span.text) or bool(opens_line and _ITEM.fullmatch(span.text.strip()))


def _sentences(doc: Any) -> Iterator[Any]:
    """The sentences, cut at line breaks too; a list's "1." stays with its item."""
    for sentence in doc.sents:
        cuts = [sentence.start]
        cuts += [token.i + 1 for token in sentence[:-1] if token.is_space and "\n" in token.text]
        yield from (doc[a:b] for a, b in pairwise([*cuts, sentence.end]))


def _cut(sentence: Any, granularity: Granularity) -> Iterator[Any]:
    if granularity == "sentence":
        yield sentence
        return
    starts = [sentence.start]
    closing = ""
    for token in sentence[1:]:
        previous = token.nbor(-1)
        closing = _quote_state(closing, previous.text)
        if closing or token.is_space:
            continue
        after_mark = previous.text in _CLAUSE_MARKS and bool(previous.whitespace_)
        word = token.lower_
        opens = after_mark or word in _CONJUNCTIONS
        opens = opens or (granularity == "phrase" and word in _PREPOSITIONS)
        enough = 1 if granularity == "phrase" else 2
        if opens and sum(not t.is_punct for t in sentence.doc[starts[-1] : token.i]) >= enough:
            starts.append(token.i)
    yield from (sentence.doc[a:b] for a, b in pairwise([*starts, sentence.end]))


def _quote_state(closing: str, text: str) -> str:
    """The mark that closes the quotation we are in, or nothing."""
    if closing:
        return "" if text == closing else closing
    return _QUOTES.get(text, "")


def _as_segment(span: Any) -> Segment:
    text = span.text
    start = span.start_char + len(text) - len(text.lstrip())
    text = text.strip()
    mass = sum(not (token.is_stop or token.is_punct or token.is_space) for token in span)
    return Segment(text, start, start + len(text), max(1, mass))


def _without_surrogates(text: str) -> str:
    """A lone surrogate has no UTF-8 form, which spaCy needs; the stand-in keeps every offset."""
    return text if text.isascii() else regex.sub(r"[\ud800-\udfff]", "\ufffd", text)


@cache
def _pipeline(name: str | None) -> Any:
    import spacy

    if name is None:
        nlp = spacy.blank("en")
        nlp.add_pipe("sentencizer")
        nlp.max_length = 10**8
        return nlp
    try:
        nlp = spacy.load(name)
        if not {"parser", "senter", "sentencizer"} & set(nlp.pipe_names):
            nlp.add_pipe("sentencizer", first=True)
        return nlp
    except OSError:
        raise UserError(
            f"spaCy pipeline '{name}' is not installed: install it (python -m spacy download {name}), "
            "or leave it out to cut sentences by rule"
        ) from None
