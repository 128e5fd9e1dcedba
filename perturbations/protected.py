"""What perturbations leave alone: numbers, code, addresses, quotations, `{placeholders}` and what the user names."""

import re
from collections.abc import Iterable, Sequence

from holdfast.perturbations.text import Span, whole, words

# Every branch is linear in the length of the text: repeats are possessive, and an opening mark that finds no partner
# stops at the next opening mark or paragraph. Each begins with a literal or one shared look-behind, which is quick.
_PROTECTED = re.compile(
    r"""
      ```(?:(?!```).)*+(?:```|\Z)                               # fenced code, closed or not
    | `[^`\n]++`                                                # code
    | \{(?<!\{\{)\{*+[^{}]*+\}++                                # placeholders
    | "(?:[^"\n]|\n(?!\n))++"                                   # quoted strings
    | “[^“”]*+” | „[^„“”]*+[“”] | «[^«»]*+» | 「[^「」]*+」
    | '(?<!\w')(?=[^\s'])(?:[^'\n]|(?<=\w)'(?=\w))++'(?!\w)
    | ‘(?:[^‘’\n]|(?<=\w)’(?=\w))++’
    | (?<![\w@])(?:
        (?:(?:https?|ftp)://|www\.)\S*[^\s.,;:!?)'"\]}>]        # addresses
      | (?<![.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++
      | (?<![.-])(?:[\w-]++\.)++(?:com|org|net|edu|gov|io|co|in|uk|de|ai|dev|info)(?![\w-])(?:/\S*[^\s.,;:!?)'"\]}>])?
      | (?:[^\W\d]++[–-]|[+−±-])?(?:(?:Rs\.?|[A-Z]{0,2}[€$£¥₹])[ \u00a0]?)?  # numbers with sign, currency, unit, time
        [^\W\d]*+[\d²³¹¼-¾⁰-₉⅐-↋][\w²³¹¼-¾⁰-₉⅐-↋]*+(?:[.,:/×^-]\d\w*+)*+
        (?:[ \u00a0]?[%‰°€£$¥₹](?!\d)|[ \u00a0][ap]\.?m\b\.?)?
      )
    """,
    re.VERBOSE | re.DOTALL,
)
_HINT = re.compile("[0-9²³¹¼-¾⁰-₉⅐-↋`\"'“„«「‘{@/]")
_RARE_HINT = re.compile(r"\.\w|(?![0-9])\d")


def protected_spans(text: str, protect: Sequence[str] = ()) -> list[Span]:
    """The spans of `text` that must stay as they are, sorted and apart from each other.

    >>> text = 'Pay $4.50 at 10:30 am for "two teas", {name}; see www.tea.org or `help()`.'
    >>> [text[start:end] for start, end in protected_spans(text)]
    ['$4.50', '10:30 am', '"two teas"', '{name}', 'www.tea.org', '`help()`']
    >>> protected_spans("Ask Ada", protect=["Ada"])
    [(4, 7)]
    """
    spans = [match.span() for match in _PROTECTED.finditer(text)] if _may_hold_any(text) else []
    if any(protect):
        spans = _merged(spans + [span for literal in protect if literal for span in _occurrences(text, literal)])
    return spans


def masked(text: str, protect: Sequence[str] = ()) -> str:
    """`text` with a NUL for each protected character: whatever is found in it lies outside the protected spans.

    >>> masked("add 2.5 g", protect=["g"])
    'add \\x00\\x00\\x00 \\x00'
    """
    spans = protected_spans(text, protect)
    if not spans:
        return text
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], "\0" * (end - start)]
        at = end
    return "".join([*pieces, text[at:]])


def free_words(text: str, protect: Sequence[str] = ()) -> tuple[int, list[Span]]:
    """How many words `text` has, and the spans of those that may be changed: whole ones that no protected span touches.

    >>> text = "add 2 tea-spoons to {cup}s"
    >>> total, spans = free_words(text)
    >>> total, [text[start:end] for start, end in spans]
    (6, ['add', 'tea-spoons', 'to'])
    """
    seen, spans = masked(text, protect), words(text)
    total = len(spans)
    if seen is not text:
        spans = [
            (start, end)
            for start, end in words(seen)
            if seen[start - 1 : start] != "\0" and seen[end : end + 1] != "\0"
        ]
    return total, whole(text, spans)


def _may_hold_any(text: str) -> bool:
    """Whether a closer look is worth it; for most prompts it is not."""
    if _HINT.search(text):
        return True
    return ("." in text or not text.isascii()) and _RARE_HINT.search(text) is not None


def _occurrences(text: str, literal: str) -> Iterable[Span]:
    at = text.find(literal)
    while at >= 0:
        yield at, at + len(literal)
        at = text.find(literal, at + 1)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
