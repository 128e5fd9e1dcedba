"""A perturbed prompt as a human reads it: edits that a reader doesn't notice are undone, misleading ones stay."""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

from holdfast.language.spelling import frequency
from holdfast.language.text import Span, words
from holdfast.perturbations import Edit, Edits

_FAMILIAR = 4.0
"""Zipf frequency (wordfreq) from which a word is read as itself, not as a misspelling of another."""


def as_read(edits: Edits) -> str:
    """Return the text without the edits that a reader corrects while reading.

    These are edits that change no letter (case, look-alikes, accents, invisible characters, spaces, punctuation,
    emoji), and misspellings that leave a word recognisable.

    >>> text = "Who did not come?"
    >>> as_read(Edits(text, (Edit(4, "did", "ddi"), Edit(12, "come", "cоme \U0001f600"))))
    'Who did not come?'
    >>> as_read(Edits(text, (Edit(8, "not", "now"),)))
    'Who did now come?'
    """
    kept: list[Edit] = []
    for word, touching in _by_word(edits):
        if not _same_letters(touching) and not (word and _recognisable(edits.original, word, touching)):
            kept += touching
    return Edits(edits.original, tuple(kept)).text


def share_of_letters_kept(edits: Edits) -> float:
    """Return the share of a text's letters and digits that the edits leave as they were, in [0, 1].

    Changes of case, accents, look-alikes, spaces and punctuation change no letter; swapping two neighbours changes one.

    >>> share_of_letters_kept(Edits("Who did it?", (Edit(4, "di", "id"), Edit(10, "?", "!"))))
    0.875
    """
    from rapidfuzz.distance import OSA

    letters = len(_skeleton(edits.original))
    changed = sum(OSA.distance(_skeleton(edit.removed), _skeleton(edit.inserted)) for edit in edits.edits)
    return max(0.0, 1 - changed / letters) if letters else 1.0


def _by_word(edits: Edits) -> Iterator[tuple[Span | None, list[Edit]]]:
    """Yield the edits grouped by the word of the original that they are in, with its span; None if in no word."""
    spans = iter(_words(edits.original))
    word = next(spans, None)
    group: list[Edit] = []
    inside: Span | None = None
    for edit in edits.edits:
        end = edit.position + len(edit.removed)
        while word and word[1] < end:
            word = next(spans, None)
        place = word if word and word[0] <= edit.position else None
        if group and (place is None or place != inside):
            yield inside, group
            group = []
        inside = place
        group.append(edit)
    if group:
        yield inside, group


def _words(text: str) -> list[Span]:
    """Return the spans of words; those that touch, as in scripts without spaces, are read as one."""
    found: list[Span] = []
    for start, end in words(text):
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return found


def _same_letters(edits: Sequence[Edit]) -> bool:
    return all(_skeleton(edit.removed) == _skeleton(edit.inserted) for edit in edits)


def _recognisable(text: str, word: Span, edits: Sequence[Edit]) -> bool:
    """Whether a word is still recognisable: at most half of its letters slipped, in edits of single letters.

    A word replaced whole may at most lose a third of its letters, and must not become another common word.
    """
    from rapidfuzz.distance import OSA

    start, end = word
    moved = tuple(Edit(edit.position - start, edit.removed, edit.inserted) for edit in edits)
    before, after = text[start:end], Edits(text[start:end], moved).text
    if not after.strip() or len(_words(after)) != 1:
        return False
    touched = sum(max(1, len(edit.removed)) for edit in edits)
    slips = min(touched, OSA.distance(_skeleton(before), _skeleton(after)))
    if all(len(edit.removed) < end - start for edit in edits):
        return slips <= max(1, len(before) // 2)
    return slips <= max(1, len(before) // 3) and frequency(after) < _FAMILIAR


@cache
def _look_alikes() -> dict[str, str]:
    """Map each character that looks like a Latin letter to that letter."""
    from confusable_homoglyphs import confusables

    return {
        alike["c"]: letter
        for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for found in confusables.is_confusable(letter, greedy=True, preferred_aliases=[]) or ()
        for alike in found["homoglyphs"]
        if len(alike["c"]) == 1 and not alike["c"].isascii()
    }


def _skeleton(text: str) -> str:
    """Return the letters of a text without case and accents, look-alikes as the Latin letters that they imitate."""
    if not text.isascii():
        alike = _look_alikes()
        plain = unicodedata.normalize("NFKD", "".join([alike.get(character, character) for character in text]))
        text = "".join([character for character in plain if unicodedata.category(character) not in {"Mn", "Cf"}])
    return "".join([character for character in text.casefold() if character.isalnum()])
