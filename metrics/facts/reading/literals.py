"""Recognises text that must be copied exactly (addresses, paths, commands, code), and emoji by meaning."""

from __future__ import annotations

import re
from functools import cache

from holdfast.language.word_tables import rows_of

# Matching takes linear time in the length of the text, over all starting positions: repeats that may fail are
# possessive, and can't begin inside an earlier attempt.
_LITERALS = r"""
 (?P<address>(?:https?|ftp)://[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?]|www\.[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?]
   |(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++
   |(?<![a-zA-Z0-9-])(?<![a-zA-Z0-9-]\.)(?:[a-zA-Z0-9-]++\.(?=[a-zA-Z0-9-]))++(?:DOMAINS)
    (?:/[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?])?(?!\.*+\w))
|(?P<code>```(?:(?!```)[\s\S])*+(?:```)?|`[^`\n]++`
   |(?:(?<=\s)|(?<=["'(])|^)(?:~|\.\.?)?/[\w.@+~-]*[\w/](?:[\w.@+~/-]*[\w/])?|[A-Za-z]:\\[^\s"']*
   |(?<![\w.-])(?<![\w.-]/)(?=(?:[^\W_]|-|/(?!/))*+(?:_|\.\w))(?=(?:[\d.-]|/(?!/))*+[a-zA-Z_])
    [\w.-]++(?<=\w)(?:/[\w.-]*\w)+(?![\w/])
   |(?<![\w-])[\w-]++\.(?:FILES)(?!\w)
   |(?:(?<=\s)|^)--?[A-Za-z][\w-]*(?:=[^\s,;]*)?|(?<=\S\s)(?:/|~|\*|\.\.|&&|\|\|?|[<>]=?|[!=]=|>>)(?=[\s.]|$))
|(?P<emoji>(?:(?<=\s)|^)[:;]-?[()DP](?!\w)|(?:(?<=\s)|^)<3(?!\d))
"""
TRIGGER = re.compile(r"[@`\\~|<>*=]|/|(?:^|\s)-|\.[a-zA-Z]|[:;]-?[()DP]")
"""Matches any text that may contain a literal or emoticon; rules out most texts quickly."""

_COMMENT = re.compile(r"(?:(?<=\s)|^)(?:#(?!!)|//).*$", re.MULTILINE)
_OPERATOR = re.compile(r" *([<>=!+]+) *")
_SKIN = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


@cache
def literal_pattern() -> str:
    """Return the pattern of addresses, code and emoticons, for `re` and `regex` in verbose mode."""
    found = _LITERALS
    for kind, endings in rows_of("literals.txt"):
        found = found.replace(kind.upper(), "|".join(endings.split()))
    return found


def normalise_literal(piece: str, kind: str) -> str:
    """Return the form in which two literals of a kind ("address", "code" or "emoji") are compared.

    >>> normalise_literal("https://www.Example.org/Ab/", "address"), normalise_literal("`x =  1  # one`", "code")
    ('example.org/Ab', 'x = 1')
    """
    if kind == "emoji":
        return _SKIN.sub("", piece).replace("-", "")
    if kind == "address":
        if "@" in piece and "/" not in piece:
            return piece.lower()
        host, slash, path = re.sub(r"^(?:[a-zA-Z]+://)?(?:www\.)?", "", piece).partition("/")
        return f"{host.lower()}{slash}{path}".rstrip("/") or piece
    if piece.startswith("```"):
        first, _, rest = piece.strip("`").partition("\n")
        piece = rest or first or piece
    return " ".join(_COMMENT.sub("", piece.strip("`")).split()) or piece


def strip_operator_spaces(piece: str) -> str:
    """Remove the optional spaces around operators from code, but not those around flags and patterns (-, *).

    >>> strip_operator_spaces("x <= 3"), strip_operator_spaces("a = b + 1"), strip_operator_spaces("rm -rf *")
    ('x<=3', 'a=b+1', 'rm -rf *')
    """
    return _OPERATOR.sub(r"\1", piece)


@cache
def emoji_groups() -> dict[str, str]:
    """Map emoji with a clear meaning to its name: `happy`, `unhappy`, `yes`, `no`, ..."""
    return {emoji: group for group, row in rows_of("emoji.txt") if group != "against" for emoji in row.split()}


@cache
def opposed_emoji() -> frozenset[frozenset[str]]:
    """Return the pairs of meanings that contradict each other."""
    rows = [row for head, row in rows_of("emoji.txt") if head == "against"]
    return frozenset(frozenset(row.split()) for row in rows)
