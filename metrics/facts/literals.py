"""What must be copied letter by letter: addresses, paths, commands, code; and emoji, by what they say."""

from __future__ import annotations

import re
from functools import cache

from holdfast.metrics.facts.tables import rows_of

_FILES = (
    "py js ts txt md csv tsv json jsonl yaml yml toml ini cfg conf sh bat exe html htm css xml pdf doc docx xls xlsx "
    "ppt pptx png jpg jpeg gif svg zip tar gz log sql java cpp rs go rb php db env lock ipynb tex bib"
)
_DOMAINS = "com org net edu gov io dev ai app info eu de fr uk"

LITERALS = rf"""
 (?P<address>(?:https?|ftp)://[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?]|www\.[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?]
   |[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:[a-zA-Z0-9-]+\.)+(?:{"|".join(_DOMAINS.split())})(?:/[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?])?(?![\w.]*\w))
|(?P<code>```(?:(?!```)[\s\S])*(?:```)?|`[^`\n]+`
   |(?:(?<=\s)|(?<=["'(])|^)(?:~|\.\.?)?/[\w.@+~-]*[\w/](?:[\w.@+~/-]*[\w/])?|[A-Za-z]:\\[^\s"']*
   |(?=[\w./-]*[._])(?=[\d./-]*[a-zA-Z_])[\w.-]*\w(?:/[\w.-]*\w)+(?![\w/])
   |[\w-]+\.(?:{"|".join(_FILES.split())})(?!\w)
   |(?:(?<=\s)|^)--?[A-Za-z][\w-]*(?:=[^\s,;]*)?|(?<=\S\s)(?:/|~|\*|\.\.|&&|\|\|?|[<>]=?|[!=]=|>>)(?=[\s.]|$))
|(?P<emoji>(?:(?<=\s)|^)[:;]-?[()DP](?!\w)|(?:(?<=\s)|^)<3(?!\d))
"""
TRIGGER = re.compile(r"[@`\\~|<>*=]|/|(?:^|\s)-|\.[a-zA-Z]|[:;]-?[()DP]")
"""What a text must contain to hold any of these."""

_COMMENT = re.compile(r"(?:(?<=\s)|^)(?:#(?!!)|//).*$", re.MULTILINE)
_SKIN = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


def normalised(piece: str, kind: str) -> str:
    """The form in which two such pieces are compared.

    >>> normalised("https://www.Example.org/Ab/", "address"), normalised("`x =  1  # one`", "code")
    ('example.org/Ab', 'x = 1')
    """
    if kind == "time":
        return piece.replace("h", ":")
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


@cache
def emoji_groups() -> dict[str, str]:
    """What an emoji says, for those that say it plainly: `happy`, `unhappy`, `yes`, `no`, ..."""
    return {emoji: group for group, row in rows_of("emoji.txt") if group != "against" for emoji in row.split()}


@cache
def opposed_emoji() -> frozenset[frozenset[str]]:
    """Groups of emoji that contradict each other."""
    rows = [row for head, row in rows_of("emoji.txt") if head == "against"]
    return frozenset(frozenset(row.split()) for row in rows)
