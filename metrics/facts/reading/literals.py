"""What must be copied letter by letter: addresses, paths, commands, code; and emoji, by what they say."""

from __future__ import annotations

import re
from functools import cache

from holdfast.language.lexicon_tables import rows_of

# Every branch is linear in the length of the text, and so are all starts together: repeats that may fail are possessive
# and begin where no earlier start can reach.
_LITERALS = r"""
 (?P<address>(?:https?|ftp)://[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?]|www\.[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?]
   |(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++
   |(?<![a-zA-Z0-9-])(?<![a-zA-Z0-9-]\.)(?:[a-zA-Z0-9-]++\.(?=[a-zA-Z0-9-]))++(?:DOMAINS)
    (?:/[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?])?(?!\.*+\w))
|(?P<code>```(?:(?!```)[\s\S])*+(?:```)?|`[^`\n]++`
   |(?:(?<=\s)|(?<=["'(])|^)(?:~|\.\.?)?/[\w.@+~-]*[\w/](?:[\w.@+~/-]*[\w/])?|[A-Za-z]:\\[^\s"']*
   |(?<![\w.-])(?<![\w.-]/)(?=(?:[^\W_]|-|/(?!/))*+[._])(?=(?:[\d.-]|/(?!/))*+[a-zA-Z_])
    [\w.-]++(?<=\w)(?:/[\w.-]*\w)+(?![\w/])
   |(?<![\w-])[\w-]++\.(?:FILES)(?!\w)
   |(?:(?<=\s)|^)--?[A-Za-z][\w-]*(?:=[^\s,;]*)?|(?<=\S\s)(?:/|~|\*|\.\.|&&|\|\|?|[<>]=?|[!=]=|>>)(?=[\s.]|$))
|(?P<emoji>(?:(?<=\s)|^)[:;]-?[()DP](?!\w)|(?:(?<=\s)|^)<3(?!\d))
"""
TRIGGER = re.compile(r"[@`\\~|<>*=]|/|(?:^|\s)-|\.[a-zA-Z]|[:;]-?[()DP]")
"""What a text must contain to hold any of these."""

_COMMENT = re.compile(r"(?:(?<=\s)|^)(?:#(?!!)|//).*$", re.MULTILINE)
_OPERATOR = re.compile(r" *([<>=!+]+) *")
_SKIN = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


@cache
def literals() -> str:
    """The pattern of these, for `re` and `regex`, in their verbose form."""
    found = _LITERALS
    for kind, endings in rows_of("literals.txt"):
        found = found.replace(kind.upper(), "|".join(endings.split()))
    return found


def normalised(piece: str, kind: str) -> str:
    """The form in which two such pieces are compared.

    >>> normalised("https://www.Example.org/Ab/", "address"), normalised("`x =  1  # one`", "code")
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


def squeezed(piece: str) -> str:
    """Code without the spaces around operators, which it may do without; flags and patterns (-, *) need theirs.

    >>> squeezed("x <= 3"), squeezed("a = b + 1"), squeezed("rm -rf *")
    ('x<=3', 'a=b+1', 'rm -rf *')
    """
    return _OPERATOR.sub(r"\1", piece)


@cache
def emoji_groups() -> dict[str, str]:
    """What an emoji says, for those that say it plainly: `happy`, `unhappy`, `yes`, `no`, ..."""
    return {emoji: group for group, row in rows_of("emoji.txt") if group != "against" for emoji in row.split()}


@cache
def opposed_emoji() -> frozenset[frozenset[str]]:
    """Groups of emoji that contradict each other."""
    rows = [row for head, row in rows_of("emoji.txt") if head == "against"]
    return frozenset(frozenset(row.split()) for row in rows)
