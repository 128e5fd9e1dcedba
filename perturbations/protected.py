"""Spans that perturbations never change: numbers, code, addresses, quotations, `{placeholders}` and given strings."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise

from holdfast.language.grammar import closed_class
from holdfast.language.language_files import language_files
from holdfast.language.marks import count_marked, either, run_ends, run_starts
from holdfast.language.text import (
    NO_SPACE,
    Span,
    cluster_aligned,
    cluster_starts,
    count_tokens,
    edges_of,
    runs,
    unspaced_word_starts,
    word_marks,
    words,
)
from holdfast.language.unspaced import COUNTER, RANGES, is_unspaced
from holdfast.language.word_tables import rows_of

# Every branch runs in linear time: repeats are possessive, and an unmatched opening mark stops at the next opening mark
# or paragraph. Each branch starts with a literal or the shared look-behind, which is fast.
_PROTECTED = r"""
      ```(?:(?!```).)*+(?:```|\Z)                               # fenced code, closed or not
    | `[^`\n]++`                                                # code
    | \{(?<!\{\{)\{*+[^{}]*+\}++                                # placeholders
    | "(?:[^"\n]|\n(?!\n))++"                                   # quoted strings
    | “[^“”]*+” | „[^„“”]*+[“”] | «[^«»]*+» | 「[^「」]*+」
    | '(?<!\w')(?=[^\s'])(?:[^'\n]|(?<=\w)'(?=\w))++'(?!\w)
    | ‘(?:[^‘’\n]|(?<=\w)’(?=\w))++’
    | (?<!@)(?:(?<!\w)|(?<=[UNSPACED]))(?:
        (?:(?:https?|ftp)://|www\.(?=\w))\S*[^\s.,;:!?)'"\]}>]        # addresses
      | (?<![.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++
      | (?<![.-])(?:[\w-]++\.)++(?:DOMAINS)(?![\w-])(?:/\S*[^\s.,;:!?)'"\]}>])?
      | (?:[^\W\d]++[–-]|[+−±-])?(?:(?:Rs\.?|[A-Z]{0,2}[€$£¥₹])[ \u00a0]?)?  # numbers with sign, currency, unit, time
        [^\W\dUNSPACED]*+[\d²³¹¼-¾⁰-₉⅐-↋](?:[^\WUNSPACED]|[²³¹¼-¾⁰-₉⅐-↋])*+(?:[.,:/×^-]\d[^\WUNSPACED]*+)*+
        (?: COUNTER
        | [ \u00a0]?(?:°[CF]\b|[%‰°€£$¥₹](?!\d)) | [ \u00a0][ap]\.?m\b\.? | [ \u00a0]per[ \u00a0]cent\b
        | (?:[ \u00a0-](?:MULTIPLES)(?!\w))*+(?:[ \u00a0-](?:UNITS)(?:/(?:UNITS))?(?!\w))?+ )
      )
"""
# Every protected span contains one of these characters, preceded by a space only if that follows a currency.
_HINT = re.compile(r"""[\d²³¹¼-¾⁰-₉⅐-↋`"'“„«「‘{@/.](?:(?<!\.)|(?=\w))""")
_INNER_DOT = re.compile(r"\.(?=\w)")
_CURRENCY_ENDS = frozenset("€$£¥₹s.")
_FURTHER = frozenset("ad bc ce bce o'clock bits baje बजे".split())
"""Words that belong to the number before them without being units."""
_FREE_OF_HINTS = bytes(set(range(128)) - set(b"0123456789`\"'{@/."))


@cache
def _pattern() -> re.Pattern[str]:
    multiples, units = (sorted(map(re.escape, words), key=len, reverse=True) for words in _words_of_numbers())
    written = _PROTECTED.replace("UNSPACED", RANGES).replace("COUNTER", COUNTER)
    filled = written.replace("MULTIPLES", f"(?i:{'|'.join(multiples)})").replace("UNITS", f"(?i:{'|'.join(units)})")
    filled = filled.replace("DOMAINS", dict(rows_of("literals.txt"))["domains"].replace(" ", "|"))
    return re.compile(filled, re.VERBOSE | re.DOTALL)


def _words_of_numbers() -> tuple[set[str], set[str]]:
    """Return the words that belong to the number before them, in any language that has tables of them: million; kg."""
    rows = {name: [*rows_of(f"{name}.txt")] for name in ("numbers", "units", "calendar")}
    for file in language_files().values():
        for name, found in rows.items():
            found += file.rows(name)
    multiples = {word for head, words in rows["numbers"] if "scale" in head.split() for word in words.split()}
    units = {word for _, words in rows["units"] for word in words.split()} - closed_class("determiner")
    months = {
        word.rstrip("!") for head, words in rows["calendar"] if head.startswith("month") for word in words.split()
    }
    units |= months | _FURTHER
    return multiples, {word for word in units if word[0].isalpha() and "_" not in word}


def protected_spans(text: str, protect: Sequence[str] = ()) -> list[Span]:
    """Return the spans of `text` that must not change, sorted and disjoint.

    Args:
        text: The text.
        protect: Additional literal strings, protected wherever they occur.

    >>> text = 'Pay $4.50 at 10:30 am for "two teas", {name}; see www.tea.org or `help()`.'
    >>> [text[start:end] for start, end in protected_spans(text)]
    ['$4.50', '10:30 am', '"two teas"', '{name}', 'www.tea.org', '`help()`']
    >>> protected_spans("Ask Ada", protect=["Ada"])
    [(4, 7)]
    """
    spans = [*_find_protected(text)] if _may_contain_protected(text) else []
    if any(protect):
        spans = _merge(spans + [span for literal in protect if literal for span in _occurrences(text, literal)])
    return spans


def mask(text: str, protect: Sequence[str] = ()) -> str:
    """Replace each protected character with NUL, so that searches match only outside protected spans.

    >>> mask("add 25 g to Ada", protect=["Ada"])
    'add \\x00\\x00\\x00\\x00 to \\x00\\x00\\x00'
    """
    spans = protected_spans(text, protect)
    if not spans:
        return text
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], "\0" * (end - start)]
        at = end
    return "".join([*pieces, text[at:]])


def free_clusters(text: str, protect: Sequence[str] = ()) -> tuple[Sequence[int], Sequence[str]]:
    """Return the offsets of the grapheme clusters of `text` (plus its length) and the clusters, NUL if protected.

    For a simple text both are free of cost: its characters are its clusters.

    >>> free_clusters("né 5")
    (range(0, 5), 'né \\x00')
    """
    starts, seen = cluster_starts(text), mask(text, protect)
    if isinstance(starts, range):
        return starts, seen
    return starts, ["\0" if "\0" in seen[start:end] else seen[start:end] for start, end in pairwise(starts)]


def free_token_ends(text: str, protect: Sequence[str] = ()) -> tuple[int, Sequence[int], Sequence[str], bytes]:
    """Count the tokens of `text` and mark the last cluster of each token that may be changed.

    Returns:
        The number of tokens (see `count_tokens`), the result of `free_clusters`, and the marks.

    >>> total, starts, seen, ends = free_token_ends("ask me.")
    >>> total, list(ends)
    (2, [0, 0, 1, 0, 0, 0, 1])
    """
    starts, seen = free_clusters(text, protect)
    ends = run_ends(NO_SPACE.marks(seen))
    if gaps := unspaced_word_starts(text):
        further = (
            start in gaps and (one != "\0" or other != "\0")
            for start, one, other in zip(starts[1:], seen, [*seen[1:], "\0"], strict=False)
        )
        ends = either(ends, bytes(further))
        return count_tokens(text), starts, seen, ends
    return count_marked(ends) if seen is text else count_tokens(text), starts, seen, ends


def free_word_edges(text: str, protect: Sequence[str] = ()) -> tuple[int, bytes, bytes]:
    """Count the words of `text` and mark the first and last character of each word that may be changed.

    A word may be changed if it is aligned to grapheme clusters and touches no protected span (in scripts without
    spaces: overlaps none).

    Returns:
        The number of words, marks on first characters and marks on last characters.

    >>> total, firsts, lasts = free_word_edges("so {b}-x is")
    >>> total, list(firsts), list(lasts)
    (4, [1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0], [0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1])
    """
    if is_unspaced(text):
        total, spans = free_words(text, protect)
        return total, *edges_of(len(text), spans)
    total, marks = _free_word_marks(text, protect)
    return total, run_starts(marks), run_ends(marks)


def _free_word_marks(text: str, protect: Sequence[str]) -> tuple[int, bytes]:
    total, marks = word_marks(text)
    spans = protected_spans(text, protect)
    if not spans:
        return total, marks
    free = bytearray(marks)
    for start, end in spans:
        first, after = free.rfind(0, 0, start) + 1, free.find(0, end)
        after = len(free) if after < 0 else after
        free[first:after] = bytes(after - first)
    return total, bytes(free)


def free_words(text: str, protect: Sequence[str] = ()) -> tuple[int, list[Span]]:
    """Return the number of words in `text` and the spans of those that may be changed (see `free_word_edges`).

    >>> text = "add 2 tea-spoons to {cup}s"
    >>> total, spans = free_words(text)
    >>> total, [text[start:end] for start, end in spans]
    (6, ['add', 'tea-spoons', 'to'])
    """
    if is_unspaced(text):
        spans = words(text)
        return len(spans), list(_clear_of_protected(text, cluster_aligned(text, spans), protected_spans(text, protect)))
    total, marks = _free_word_marks(text, protect)
    return total, runs(marks)


def _clear_of_protected(text: str, spans: Iterable[Span], protected: Sequence[Span]) -> Iterator[Span]:
    """Yield the spans that overlap no protected span and, except in scripts without spaces, touch none."""
    at = 0
    for start, end in spans:
        close = 0 if is_unspaced(text[start:end]) else 1
        while at < len(protected) and protected[at][1] + 1 <= start:
            at += 1
        near = protected[at : at + 2]
        if all(end + close <= first or last + close <= start for first, last in near):
            yield start, end


def _may_contain_protected(text: str) -> bool:
    """Return False if a cheap test rules out protected spans, as for most prompts."""
    if not text.isascii():
        return True
    held = text.encode("ascii").translate(None, _FREE_OF_HINTS)
    return bool(held) and (held.strip(b".") != b"" or _INNER_DOT.search(text) is not None)


def _find_protected(text: str) -> Iterator[Span]:
    """Yield the matches of the pattern, trying it only at the start of words that contain a hint character."""
    match, at = _pattern().match, 0
    for hint in _HINT.finditer(text):
        last = hint.start()
        if last < at:
            continue
        first = text.rfind(" ", at, last) + 1
        if first > 1 and text[first - 2] in _CURRENCY_ENDS:
            first = text.rfind(" ", at, first - 1) + 1
        for start in range(max(at, first), last + 1):
            if found := match(text, start):
                yield found.span()
                at = found.end()
                break
        else:
            at = last + 1


def _occurrences(text: str, literal: str) -> Iterable[Span]:
    at = text.find(literal)
    while at >= 0:
        yield at, at + len(literal)
        at = text.find(literal, at + 1)


def _merge(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
