"""Which keys lie beside which on a keyboard: computed from the rows of a layout, so that a new one is four strings.

A layout is one or more planes of four rows (the digits' row first, a blank for a key that holds no letter). A slip
stays in its plane: on InScript (the Indian standard keyboard for Devanagari) a consonant gives way to a consonant and a
vowel sign to a vowel sign, so that what comes out is a well-formed syllable.
"""

from collections.abc import Sequence
from functools import cache

from holdfast.language.word_tables import read_json

_STAGGER = (-0.5, 0.0, 0.25, 0.75)

# Letters that speak for a layout, and letters of other languages with some of these, which are typed on QWERTY.
_SIGNS = (
    ("qwertz", frozenset("äöüßÄÖÜẞ"), frozenset("åğışæøõűőéèêÅĞİŞÆØÕŰŐ")),
    ("azerty", frozenset("àâæçèêëîôùûœÀÂÆÇÈÊËÎÔÙÛŒ"), frozenset("ãõñáíóúìòășțğşÃÕÑÁÍÓÚÌÒĂȘȚĞŞ")),
)


def keyboard_of(text: str) -> dict[str, str]:
    """The neighbours of each key of the keyboard that `text` was probably typed on.

    QWERTZ for Latin letters where a German letter stands and none that German lacks, AZERTY likewise for French,
    QWERTY for the rest; InScript for Devanagari, whatever stands beside it.

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
    """Each letter of `layout` and of InScript with those that a slipping finger may hit instead, in both cases.

    >>> neighbours()["g"], neighbours()["P"], neighbours()["क"]
    ('tyfhvb', 'OL', 'गदरतस')
    """
    layouts = read_json("keyboards.json")
    near = {}
    for rows in [*layouts[layout], *layouts["inscript"]]:
        near.update(_beside(rows))
    upper = {
        key.upper(): "".join(other.upper() for other in others if len(other.upper()) == 1)
        for key, others in near.items()
        if len(key.upper()) == 1
    }
    return upper | near


def _beside(rows: Sequence[str]) -> dict[str, str]:
    keys = [
        (key, column + stagger, row)
        for row, (letters, stagger) in enumerate(zip(rows, _STAGGER, strict=True))
        for column, key in enumerate(letters)
        if key != " "
    ]
    return {
        key: "".join(other for other, left, below in keys if 0 < (x - left) ** 2 + (y - below) ** 2 < 1.7)
        for key, x, y in keys
    }
