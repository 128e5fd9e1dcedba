"""Compares letters, operators and formulas, which are no words: option (a), 2x + 3, A -> B, H2O."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import regex

from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.reading.fact_types import Finding, replaced

_SYMBOL: Any = regex.compile(
    r"""(?<![\p{L}\p{N}'’.$/])(?:
      [A-Za-z](?=[)\]])                               # (a)
    | ^[A-Z](?=\.\s+\p{Lu})                           # B. Paris; also an initial
    | (?<=\p{L}\ )[A-HJ-Z](?=[\s,;:!?)]|\.?\s*$)      # Appendix B; neither I nor an initial
    | (?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z\d]*\d[A-Za-z\d]*  # H2O, 2x
    | [A-Za-z](?=\s*(?:[+*=<>≤≥^]|->|→|-\s?\d))       # x + 3
    | (?<=(?:[+*=<>≤≥^]|->|→)\s?)[A-Za-z]             # 3 + x
    )(?![\p{L}\p{N}'’])
    | (?:->|→|⇒|=>|<=|>=|!=|==|[+*=<>≤≥×÷])(?=\s*[\p{L}\p{N}(])
    | (?<=[\p{N}\p{L})]\s)-(?=\s\p{N})                # 2x - 3
    | (?<=(?:\b[A-Za-z]|[\d)])\s)-(?=\s(?:[A-Za-z](?=\s?[-+*/=<>≤≥^)\]]|[.,;]?\s*$)|[A-Za-z]*\())  # a - b, 1 - sin(x)
    | (?<=\([A-Za-z]|\))-(?=[A-Za-z]\b|\()            # (a-b), f(x)-g(x)""",
    regex.VERBOSE,
)
_TRIGGER = re.compile(
    r"^[A-Z]\. |[+*=<>^)\]]| [A-HJ-Z](?![A-Za-z0-9'])|\d[A-Za-z]|[A-Za-z]\d|-\s?\d|\b[A-Za-z] - [A-Za-z]\b"
)
"""Matches any ASCII text that may contain a symbol; rules out most texts quickly."""
_OPERATOR = re.compile(r"[<>^]|[ \t]-[ \t]")
"""Matches any ASCII text that may contain an operator with an order."""
_SIDE = r"[\w()]+(?:\.\w+)*"
_ORDERED: Any = regex.compile(
    rf"(?<![\w.])({_SIDE})([ \t]*(?:->|→|⇒|=>|<=|>=|[<>≤≥÷^])|[ \t]-[ \t](?=\d|[A-Za-z]\b))[ \t]*(?=({_SIDE}))"
)
_MINUS = "\N{MINUS SIGN}"
_FORMULA = re.compile(r"(?<![\w'’-])([B-HJ-Zb-z])( ?[-+*/] ?(?:\d+|[a-z])|\^\w)(?![\w'’-])")
"""A letter and what an operator adds to it; neither an article nor a pronoun."""
_SPOKEN = re.compile(r"\b(?:squared?|cubed?|power|plus|minus|over|divided|half|one (?:less|more))\b")
_DESIGNATION = re.compile(r"([A-Z])(\d+)")
"""A letter and a number: B12, also written B-12 and B 12."""
_QUANTITY: Any = regex.compile(
    r"\d+(?:st|nd|rd|th|s|ers?|e|er|ème|am|pm|h\d*|km|cm|mm|kg|g|m|l|ml|mb|gb|kb|k|bn|c)|(?:us|nz|au|hk|ca)\d+\w*",
    regex.I,
)
"""What looks like a formula and is a quantity: 1st, 5km, US5."""


def symbol_findings(pair: Compared) -> Iterator[Finding]:
    """Yield symbols in place of others, the sides of an operator exchanged (A -> B, x < y), and a formula in place of
    its letter (n - 1, n).

    Any other symbol that only one side has is left to the words around it.
    """
    for left, operator, right in sorted(_ordered(pair.ours.text)):
        if left != right and (right, operator, left) in _ordered(pair.theirs.text):
            yield replaced("symbol", 1.0, [f"{left} {operator} {right}"], [f"{right} {operator} {left}"])
            return
    mine, its = Counter(_symbols(pair.ours.text)), Counter(_symbols(pair.theirs.text))
    lost = [each for each in mine - its if not _is_spelled(each, pair.theirs.text)]
    gained = [each for each in its - mine if not _is_spelled(each, pair.ours.text)]
    if lost and gained:
        yield replaced("symbol", 1.0, lost, gained)
    elif found := _extended(pair.ours.text, pair.theirs.text):
        yield replaced("symbol", 1.0, found[:1], found[1:])
    elif found := _extended(pair.theirs.text, pair.ours.text):
        yield replaced("symbol", 1.0, found[1:], found[:1])


def _is_spelled(symbol: str, text: str) -> bool:
    designation = _DESIGNATION.fullmatch(symbol)
    return designation is not None and re.search(rf"\b{designation[1]}[- ]{designation[2]}\b", text) is not None


def _extended(longer: str, shorter: str) -> tuple[str, str] | None:
    """Return a formula and its letter, if the other text has the letter as often but nothing of what the formula adds:
    n - 1, n; O(n^2), O(n)."""
    if not _FORMULA.search(longer) or _SPOKEN.search(shorter):
        return None
    for letter, rest in _FORMULA.findall(longer.replace(_MINUS, "-")):
        alone, added = (rf"(?<![\w']){re.escape(each)}(?![\w'])" for each in (letter, rest.lstrip(" -+*/^")))
        as_often = len(re.findall(alone, longer)) == len(re.findall(alone, shorter)) > 0
        if as_often and not re.search(added, shorter):
            return letter + rest, letter
    return None


@lru_cache(maxsize=1 << 15)
def _ordered(text: str) -> frozenset[tuple[str, str, str]]:
    """Return the operators whose sides can't be exchanged, with what is on either side."""
    if text.isascii() and not _OPERATOR.search(text):
        return frozenset()
    found = _ORDERED.findall(text.replace(_MINUS, "-"))
    return frozenset((left, operator.strip(), right) for left, operator, right in found)


@lru_cache(maxsize=1 << 15)
def _symbols(text: str) -> tuple[str, ...]:
    if text.isascii() and not _TRIGGER.search(text):
        return ()
    text = text.replace(_MINUS, "-")
    return tuple(found for found in _SYMBOL.findall(text) if not _QUANTITY.fullmatch(found))
