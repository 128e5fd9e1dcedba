"""Rule-based sentence boundaries for prompts in any script."""

import re

from holdfast.language.text import Span

_END = re.compile(r"[.!?।॥…。！？]+[\"'”’)\]]*(?=\s|$)|\n+|$")
_ABBREVIATION = re.compile(r"\b(?:[A-Za-z]|Mrs?|Ms|Dr|St|Prof|Jr|Sr|vs|etc|e\.g|i\.e|No|Inc|Co|Ltd|Corp|U\.S)$")


def sentences(text: str) -> list[Span]:
    """Return the spans of the sentences in `text`, without surrounding whitespace; line breaks end sentences too.

    >>> text = "Dr. Who is here. Why? कौन है। last line"
    >>> [text[start:end] for start, end in sentences(text)]
    ['Dr. Who is here.', 'Why?', 'कौन है।', 'last line']
    """
    spans, at = [], 0
    for match in _END.finditer(text):
        start, end = match.span()
        if match[0] == "." and _ABBREVIATION.search(text[max(0, start - 8) : start]):
            continue
        piece = text[at:end]
        if stripped := piece.strip():
            begin = at + len(piece) - len(piece.lstrip())
            spans.append((begin, begin + len(stripped)))
        at = end
    return spans


def count_sentences(text: str) -> int:
    """Return the number of sentences in `text`.

    >>> count_sentences("Go. Now!")
    2
    """
    return len(sentences(text))
