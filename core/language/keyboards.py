"""Neighbouring keys on a keyboard, computed from the rows of its layout.

A layout has one or more planes of four rows, number row first, with a blank for a key without a letter. A slip stays
within its plane: on InScript (the Indian standard keyboard for Devanagari) consonants replace consonants and vowel
signs replace vowel signs, so syllables stay well-formed.
"""

from collections.abc import Sequence
from functools import cache

from holdfast.language.word_tables import read_json

_STAGGER = (-0.5, 0.0, 0.25, 0.75)

# Letters that indicate a layout, and letters that rule it out (languages sharing some of these but typed on QWERTY).
_SIGNS = (
    ("qwertz", frozenset("äöüßÄÖÜẞ"), frozenset("åğışæøõűőéèêÅĞİŞÆØÕŰŐ")),
    ("azerty", frozenset("àâæçèêëîôùûœÀÂÆÇÈÊËÎÔÙÛŒ"), frozenset("ãõñáíóúìòășțğşÃÕÑÁÍÓÚÌÒĂȘȚĞŞ")),
)


def keyboard_of(text: str) -> dict[str, str]:
    """Return the neighbours of each key on the keyboard that `text` was probably typed on.

    Latin letters use QWERTZ if the text has German letters and none foreign to German, AZERTY under the same rule for
    French, and QWERTY otherwise. Devanagari letters always use InScript.

    >>> [keyboard_of(text)["a"] for text in ("Is it far?", "Où est la gare ?", "Ist es schön?")]
    ['qwsz', 'ézq', 'qwsy']
    """
    if not text.isascii():
        for layout, signs, others in _SIGNS:
            if not signs.isdisjoint(text) and others.isdisjoint(text):
                return neighbours(layout)
    return neighbours()


@cache
def neighbours(layout: str = "qwerty") -> dict[str, str]:
    """Return the letters of `layout` and InScript, in both cases, each with the letters on adjacent keys.

    >>> neighbours()["g"], neighbours()["P"], neighbours()["क"]
    ('tyfhvb', 'OL', 'गदरतस')
    """
    layouts = read_json("keyboards.json")
    near = {}
    for rows in [*layouts[layout], *layouts["inscript"]]:
        near.update(_adjacent_keys(rows))
    upper = {
        key.upper(): "".join(other.upper() for other in others if len(other.upper()) == 1)
        for key, others in near.items()
        if len(key.upper()) == 1
    }
    return upper | near


def _adjacent_keys(rows: Sequence[str]) -> dict[str, str]:
    keys = [
        (key, column + stagger, row)
        for row, (letters, stagger) in enumerate(zip(rows, _STAGGER, strict=True))
        for column, key in enumerate(letters)
        if key != " "
    ]
    return {
        key: near
        for key, x, y in keys
        if (near := "".join(other for other, left, below in keys if 0 < (x - left) ** 2 + (y - below) ** 2 < 1.7))
    }
