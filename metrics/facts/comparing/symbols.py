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
    | (?<=\p{L}\ )[A-HJ-Z](?=[\s,;:!?)]|\.?\s*$)      # Appendix B; neither I nor an initial
    | (?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z\d]*\d[A-Za-z\d]*  # H2O, 2x
    | [A-Za-z](?=\s*(?:[+*=<>≤≥^]|->|→|-\s?\d))       # x + 3
    )(?![\p{L}\p{N}'’])
    | (?:->|→|⇒|=>|<=|>=|!=|==|[+*=<>≤≥×÷])(?=\s*[\p{L}\p{N}(])
    | (?<=[\p{N}\p{L})]\s)[-−](?=\s\p{N})            # 2x - 3""",
    regex.VERBOSE,
)
_TRIGGER = re.compile(r"[+*=<>^)\]]| [A-HJ-Z](?![A-Za-z0-9'])|\d[A-Za-z]|[A-Za-z]\d|-\s?\d")
"""Matches any ASCII text that may contain a symbol; rules out most texts quickly."""
_OPERATOR: Any = regex.compile(r"[-−+*=<>≤≥×÷→⇒!]+")
_QUANTITY: Any = regex.compile(
    r"\d+(?:st|nd|rd|th|s|ers?|e|er|ème|am|pm|h\d*|km|cm|mm|kg|g|m|l|ml|mb|gb|kb|k|bn|c)|(?:us|nz|au|hk|ca)\d+\w*",
    regex.I,
)
"""What looks like a formula and is a quantity: 1st, 5km, US5."""


def symbol_findings(pair: Compared) -> Iterator[Finding]:
    """Yield symbols in place of others, and the same ones in another order around an operator.

    A symbol that only one side has is left to the words around it.
    """
    mine, its = _symbols(pair.ours.text), _symbols(pair.theirs.text)
    if mine == its or not mine or not its:
        return
    lost, gained = Counter(mine) - Counter(its), Counter(its) - Counter(mine)
    if lost and gained:
        yield replaced("symbol", 1.0, [*lost], [*gained])
    elif not lost and not gained and any(map(_OPERATOR.fullmatch, mine)):
        yield replaced("symbol", 1.0, [" ".join(mine)], [" ".join(its)])


@lru_cache(maxsize=1 << 15)
def _symbols(text: str) -> tuple[str, ...]:
    if text.isascii() and not _TRIGGER.search(text):
        return ()
    return tuple(found for found in _SYMBOL.findall(text) if not _QUANTITY.fullmatch(found))
