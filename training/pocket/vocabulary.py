"""The word tables of the pocket corpus, and random choices and typos shared by all skills."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Example:
    """A request of the corpus and the answer to learn.

    `content` is the user's text, like a sample of a suite, and `prompt` the whole user turn with it. `references` are
    other good answers. `facts` are the names, places, times and amounts that a summary must contain.
    """

    skill: str
    content: str
    prompt: str
    answer: str
    references: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    tags: dict[str, Any] = field(default_factory=dict)


@cache
def table(name: str) -> Any:
    """Return the content of the data file `name`.json, which is read once."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def fill(template: str, values: dict[str, str]) -> str:
    """Fill a template; "a" before a vowel becomes "an", and the first letter is capitalised.

    >>> fill("a {thing} for {who}", {"thing": "umbrella", "who": "Anna"})
    'An umbrella for Anna'
    """
    text = template.format_map(values)
    text = re.sub(r"\b([Aa]) (?=[aeiouAEIOU])(?!one|use|uni|Eu|eu)", r"\1n ", text)
    return text[:1].upper() + text[1:]


def prefer_first(options: list[str], rng: Random, first: float = 0.6) -> str:
    """Choose an option: the first with probability `first`, so that a model learns to prefer one wording."""
    if len(options) == 1 or rng.random() < first:
        return options[0]
    return rng.choice(options[1:])


_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip


def mistype(text: str, rng: Random, rate: float) -> str:
    """Misspell about `rate` of the Latin letters: by a neighbouring key, an omission, a doubling or a swap.

    The corpus doesn't use `holdfast.perturbations`, so that the evaluated perturbations are new to the models.
    """
    out: list[str] = []
    letters = list(text)
    i = 0
    while i < len(letters):
        letter = letters[i]
        if letter.lower() in _NEIGHBOURS and rng.random() < rate:
            kind = rng.randrange(4)
            if kind == 0:
                near = rng.choice(_NEIGHBOURS[letter.lower()])
                out.append(near.upper() if letter.isupper() else near)
            elif kind == 1:
                out.extend((letter, letter))
            elif kind == 2 and i + 1 < len(letters) and letters[i + 1].isalpha():
                out.extend((letters[i + 1], letter))
                i += 1
        else:
            out.append(letter)
        i += 1
    return "".join(out)


def roughen(text: str, rng: Random, amount: float = 1.0) -> str:
    """Make a text look hand-typed: mostly unchanged, sometimes in lower case, without its full stop or with a typo.

    Args:
        text: The text.
        rng: The source of randomness.
        amount: How often to change it: 1.0 leaves about four in five texts unchanged, 0 all of them.
    """
    chance = rng.random()
    if chance < 0.06 * amount:
        return mistype(text, rng, 0.02)
    if chance < 0.11 * amount:
        return text.lower()
    if chance < 0.17 * amount:
        return text.rstrip("?.!।")
    if chance < 0.20 * amount:
        return text.lower().rstrip("?.!।")
    return text
