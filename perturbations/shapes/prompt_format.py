"""The format of a prompt: how its fields are named and set apart, after FormatSpread (Sclar et al. 2024)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

import regex

CASINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "lower": str.lower,
    "UPPER": str.upper,
    "Title": str.title,
}
SEPARATORS = (": ", ":", " : ", ":: ", " ::: ", " - ", "- ", " ", ":\n", "\n", "\n\t", "\t")
SPACES = ("\n", "\n\n", " ", "  ", " \n ", "; ", " || ", " -- ", ", ")
"""The kinds of choice are those of FormatSpread (Sclar et al. 2024, arXiv 2310.11324); the lists are our own."""

_DESCRIPTOR = regex.compile(r"(?m)^(?P<name>[^\W\d_]\w*(?: \w+){0,2})(?P<separator>[ \t]*(?::+|[-–>]+(?=\s))[ \t]*\n?)")


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the casing of descriptors, what follows them, and what stands between fields."""

    casing: str
    separator: str
    space: str


def shared_descriptors(frames: Sequence[str]) -> frozenset[str]:
    """Return the descriptors (`Question`, `Answer`) that all frames have: those of the template, not of its values.

    >>> sorted(shared_descriptors(["Question: _\\nNote: x\\nAnswer:", "Question: _\\nHint: y\\nAnswer:"]))
    ['Answer', 'Question']
    """
    found = [{match["name"] for match in _DESCRIPTOR.finditer(frame)} for frame in frames]
    return frozenset(set.intersection(*found)) if found else frozenset()


def formats(rng: Random) -> list[Format]:
    """Return all formats in random order."""
    found = [Format(*each) for each in product(CASINGS, SEPARATORS, SPACES)]
    rng.shuffle(found)
    return found


def reformatted(frame: str, descriptors: Collection[str], form: Format) -> str:
    """Return a frame in another format; a separator that ends the prompt loses its white space.

    >>> reformatted("Question: _\\nAnswer:", {"Question", "Answer"}, Format("UPPER", " - ", " || "))
    'QUESTION - _ || ANSWER -'
    """
    pieces, at = [], 0
    for match in _DESCRIPTOR.finditer(frame):
        if match["name"] not in descriptors:
            continue
        before = frame[at : match.start()]
        if before.strip() and before.endswith("\n") and not before.endswith("\n\n"):  # that is between examples
            before = before.rstrip() + form.space
        pieces += [before, CASINGS[form.casing](match["name"]), form.separator]
        at = match.end()
    rest = frame[at:]
    if pieces and not rest:
        pieces[-1] = pieces[-1].rstrip()
    return "".join(pieces) + rest
