"""The lexicon of Hinglish, that is, Hindi in Latin letters."""

from functools import cache

from holdfast.language.compared_words import parts
from holdfast.language.word_tables import read_lines

SAMPLE = 2_000
"""How many characters of a text are examined."""


def is_mixed(text: str) -> bool:
    """Return whether a text certainly contains Hindi words in Latin letters.

    >>> is_mixed("Car mein pet hai"), is_mixed("A pet in the car")
    (True, False)
    """
    return not hinglish("sure").isdisjoint(parts(text[:SAMPLE].lower()))


@cache
def hinglish(kind: str) -> frozenset[str]:
    """Return the words of one kind (see `data/hinglish.txt`): sure, shared or homographs.

    >>> sorted(hinglish("homographs") & {"kar", "main", "sun", "river"})
    ['kar', 'main', 'sun']
    """
    lines = (line.partition(":") for line in read_lines("hinglish.txt"))
    return frozenset(word for name, _, listed in lines if name == kind for word in listed.split())
