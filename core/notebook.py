"""Small pieces of HTML for `_repr_html_`: escaped, readable in light and dark notebooks, without scripts."""

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_STYLE = 'style="text-align:left;padding:2px 10px;white-space:pre-wrap"'


def text(content: object) -> str:
    """Escape content for HTML; characters that can't be seen, or that reorder others, are written as code points.

    >>> text("<b>\\u202e"), text("zero\\u200bwidth")
    ('&lt;b&gt;⟨U+202E⟩', 'zero⟨U+200B⟩width')
    """
    return escape(visible(str(content)))


def visible(content: str) -> str:
    """Write characters that can't be seen, or that reorder others, as code points; line breaks and tabs stay.

    >>> visible("red \x1b[31m, back \u202e")
    'red ⟨U+001B⟩[31m, back ⟨U+202E⟩'
    """
    if content.isascii() and content.isprintable():
        return content
    return "".join(map(_visible, content))


def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in _INVISIBLE and character not in "\n\t"
    return f"⟨U+{ord(character):04X}⟩" if hidden else character


def inserted(content: str) -> str:
    """Mark content as inserted."""
    return f'<ins style="background:rgba(46,160,67,.25);text-decoration:none">{text(content)}</ins>'


def removed(content: str) -> str:
    """Mark content as removed."""
    return f'<del style="background:rgba(248,81,73,.25)">{text(content)}</del>'


def shaded(content: object, share: float) -> str:
    """Put content on a background that is stronger the larger `share` in [0, 1] is."""
    return f'<span style="background:rgba(248,81,73,{0.45 * share:.2f});padding:1px 4px">{text(content)}</span>'


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are HTML already, caption and columns are text."""
    head = "".join(f"<th {_STYLE}>{text(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td {_STYLE}>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<table><caption style="text-align:left;caption-side:top">{text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
