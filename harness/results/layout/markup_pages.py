"""Tables of results as Markdown, LaTeX and HTML."""

import re
from collections.abc import Callable, Mapping, Sequence

from holdfast import notebook
from holdfast.errors import printable
from holdfast.harness.results.layout.document import Document, Section
from holdfast.harness.results.layout.markdown_text import markdown_text
from holdfast.harness.results.layout.text_table import Shown, set_apart

MARK = "holdfast leaderboard"
"""What a page says in its first line, by which a file is known that may be replaced."""

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{each: f"\\{each}" for each in "&%$#_{}"},
}


def markdown_page(document: Document) -> str:
    """Return the document as Markdown; texts are escaped."""
    parts = [f"<!-- {MARK} -->"]
    for section in document.sections:
        columns, captions = _table(section)
        rows = [[each.heading for each in columns], *zip(*(each.cells for each in columns), strict=True)]
        head, *body = (f"| {' | '.join(map(markdown_text, row))} |" for row in rows)
        rule = f"| {' | '.join('---' if each.names else '---:' for each in columns)} |"
        parts += [f"**{markdown_text(section.title)}**", "\n".join([head, rule, *body])]
        parts += map(markdown_text, captions)
    parts += map(markdown_text, _remarks(document))
    return "\n\n".join(parts)


def latex_page(document: Document) -> str:
    """Return the document as LaTeX tables for the package booktabs; texts are escaped."""
    parts = [f"% {MARK} (needs \\usepackage{{booktabs}})"]
    for section in document.sections:
        columns, captions = _table(section)
        head, *body = (
            f"{' & '.join(map(_latex, row))} \\\\"
            for row in [[each.heading for each in columns], *zip(*(each.cells for each in columns), strict=True)]
        )
        parts += [
            f"% {printable(section.title)}",
            f"\\begin{{tabular}}{{{''.join('l' if each.names else 'r' for each in columns)}}}",
            "\\toprule",
            head,
            "\\midrule",
            *body,
            "\\bottomrule",
            "\\end{tabular}",
        ]
        parts += [f"% {printable(caption)}" for caption in captions]
    parts += [f"% {printable(remark)}" for remark in _remarks(document)]
    return "\n".join(parts)


def html_page(document: Document) -> str:
    """Return the document as a page of HTML without scripts; texts are escaped."""
    parts = [f"<!-- {MARK} -->", "<!DOCTYPE html>", '<meta charset="utf-8"><title>Holdfast</title>']
    for section in document.sections:
        columns, captions = _table(section)
        rows = zip(*([notebook.text(cell) for cell in each.cells] for each in columns), strict=True)
        parts.append(notebook.table(section.title, [each.heading for each in columns], rows))
        parts += [f"<p>{notebook.text(caption)}</p>" for caption in captions]
    parts += [f"<p>{notebook.text(remark)}</p>" for remark in _remarks(document)]
    return "\n".join(parts)


PAGES: Mapping[str, Callable[[Document], str]] = {
    "markdown": markdown_page,
    "latex": latex_page,
    "html": html_page,
}


def _table(section: Section) -> tuple[Sequence[Shown], list[str]]:
    """Return the columns that vary, and what stands under the table."""
    columns, same = set_apart(section.columns)
    equal = ", ".join(f"{each.heading} {each.cells[0]}" for each in same)
    return columns, [*([f"same in all rows: {equal}"] if same else []), *section.notes]


def _remarks(document: Document) -> list[str]:
    return [*document.notes, *(f"WARNING: {warning}" for warning in document.warnings)]


def _latex(text: str) -> str:
    return re.sub(r"[\\~^<>&%$#_{}]", lambda found: _LATEX[found[0]], text)
