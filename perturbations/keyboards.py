"""Which keys lie beside which on a keyboard: computed from the rows of a layout, so that a new one is three strings."""

from functools import cache

from holdfast.perturbations.tables import read_json


@cache
def neighbours(layout: str = "qwerty") -> dict[str, str]:
    """Each letter of `layout` with the letters that a slipping finger may hit instead, lower and upper case.

    >>> neighbours()["g"], neighbours()["P"]
    ('tyfhvb', 'OL')
    """
    shape = read_json("keyboards.json")[layout]
    keys = [
        (key, column + stagger, row)
        for row, (letters, stagger) in enumerate(zip(shape["rows"], shape["stagger"], strict=True))
        for column, key in enumerate(letters)
    ]
    near = {
        key: "".join(other for other, left, below in keys if 0 < (x - left) ** 2 + (y - below) ** 2 < 1.7)
        for key, x, y in keys
    }
    return near | {key.upper(): others.upper() for key, others in near.items()}
