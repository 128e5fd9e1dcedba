"""What a sentence encoder is blind to: the numbers, the names and the negation of a segment, read off by rule."""

import unicodedata
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

import regex

_NUMBER = regex.compile(
    r"(?<![\p{L}\p{N}])([$€£¥₹]?)\s?(\p{Nd}+(?:[.,:]\p{Nd}+)*)"
    r"(?:\s?(thousand|million|billion|trillion|lakh|crore|bn|mn|हज़ार|हजार|लाख|करोड़)(?![\p{L}\p{M}])|(k)\b)?"
    r"(?:\s?(%|[$€£¥₹]|[\p{L}\p{M}]+(?:\.\p{L}\.)?))?",
    regex.IGNORECASE,
)
_SCALES = {
    "thousand": 10**3,
    "k": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "mn": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "bn": 10**9,
    "trillion": 10**12,
    "हज़ार": 10**3,
    "हजार": 10**3,
    "लाख": 10**5,
    "करोड़": 10**7,
}
_UNITS = {
    "$": "dollars",
    "€": "euros",
    "£": "pounds",
    "¥": "yen",
    "₹": "rupees",
    "%": "percent",
    "percent": "percent",
    "am": "am",
    "a.m": "am",
    "pm": "pm",
    "p.m": "pm",
} | {
    form: unit
    for unit in "dollars euros pounds rupees km kg hours minutes days weeks months years".split()
    for form in (unit, unit.removesuffix("s"))
}
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
}
_GROUPED = regex.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}")
_NAME = regex.compile(r"(?<![\p{L}\p{M}])\p{Lu}[\p{L}\p{M}'’-]*")
_SENTENCE_START = regex.compile(r"(?:^|[.!?।:\n\"“])[\s\"“'(\[*-]*$")
_NAMED_ANYWAY = regex.compile(r"['’]s\b|\s+and\s+\p{Lu}")
_NEGATION = regex.compile(
    r"(?<![\p{L}\p{M}])(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|nahi|nahin|नहीं|मत|न|बिना)"
    r"(?![\p{L}\p{M}])|n['’]t(?!\p{L})",
    regex.IGNORECASE,
)
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}'’-]+")
_NOT_A_NAME = frozenset({"i", "i'm", "i'll", "i've", "i'd", "am", "pm", "ok"})


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one segment, lower case: numbers (normalised, with a unit if one follows), names, capitalised words
    that open a sentence and so may be names, whether it is negated, and all its words."""

    numbers: frozenset[str]
    names: frozenset[str]
    openers: frozenset[str]
    negated: bool
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """How far two segments contradict each other, in [0, 1], and the reason in words (empty where they don't)."""

    cost: float
    reason: str


NO_CONFLICT = Conflict(0.0, "")


def comparer(clean: Sequence[str], perturbed: Sequence[str]) -> Callable[[Sequence[int], Sequence[int]], Conflict]:
    """What compares segments of two answers: `compare((0, 1), (2,))` says how far the first two segments of the clean
    answer, taken as one, contradict the third of the perturbed one."""
    before, after = [facts_of(text) for text in clean], [facts_of(text) for text in perturbed]
    names = frozenset[str]().union(*(facts.names for facts in (*before, *after)))

    def compare(ours: Sequence[int], theirs: Sequence[int]) -> Conflict:
        return conflict(_joined([before[i] for i in ours]), _joined([after[j] for j in theirs]), names)

    return compare


def _joined(facts: Sequence[Facts]) -> Facts:
    if len(facts) == 1:
        return facts[0]
    return Facts(
        frozenset().union(*(each.numbers for each in facts)),
        frozenset().union(*(each.names for each in facts)),
        frozenset().union(*(each.openers for each in facts)),
        any(each.negated for each in facts),
        frozenset().union(*(each.words for each in facts)),
    )


def facts_of(text: str) -> Facts:
    """Read numbers, names and negation off a segment.

    A capitalised word is a name, except where it opens a sentence, as any word may: there it is one if "'s" or
    "and Somebody" follows.

    >>> facts = facts_of("Then Anna paid €4.5 million, not two.")
    >>> sorted(facts.numbers), sorted(facts.names), facts.negated
    (['2', '4500000 euros'], ['anna'], True)
    """
    text = unicodedata.normalize("NFKC", text)
    words = [_bare(word) for word in _WORD.findall(text)]
    numbers = {_number(match) for match in _NUMBER.finditer(text)}
    numbers |= {_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS and word != "one"}  # mostly a pronoun
    names: set[str] = set()
    openers: set[str] = set()
    for match in _NAME.finditer(text):
        opens = _SENTENCE_START.search(text, max(0, match.start() - 20), match.start())
        anyway = match.group().endswith(("'s", "’s")) or _NAMED_ANYWAY.match(text, match.end())
        (openers if opens and not anyway else names).add(_bare(match.group()))
    return Facts(
        frozenset(numbers),
        frozenset(names - _NOT_A_NAME),
        frozenset(openers - _NOT_A_NAME),
        bool(_NEGATION.search(text)),
        frozenset(words),
    )


def conflict(clean: Facts, perturbed: Facts, known_names: Set[str] = frozenset()) -> Conflict:
    """Whether two segments contradict each other in a number, a name or a negation.

    Only contradictions count: a fact that one side merely lacks may stand in another segment of the same answer, and
    what is lost altogether is seen by the alignment. A sentence's first word counts as a name where it is among
    `known_names`, those of the two whole answers. Swapped arguments ("Anna calls Ben") and a name that opens the only
    sentence it stands in are left to the encoder.

    >>> conflict(facts_of("Meet at 12."), facts_of("Meet at 21."))
    Conflict(cost=1.0, reason='number 12 -> 21')
    >>> conflict(facts_of("It costs 20 euros."), facts_of("It costs 20 dollars.")).reason
    'number 20 euros -> 20 dollars'
    >>> conflict(facts_of("We meet Anna at noon."), facts_of("We meet Anna."))
    Conflict(cost=0.0, reason='')
    """
    before, after = (
        _unmatched(*pair) for pair in ((clean.numbers, perturbed.numbers), (perturbed.numbers, clean.numbers))
    )
    if before and after:
        return Conflict(1.0, f"number {_listed(before)} -> {_listed(after)}")
    before, after = (facts.names | (facts.openers & known_names) for facts in (clean, perturbed))
    before, after = before - perturbed.words, after - clean.words
    if before and after:
        return Conflict(1.0, f"name {_listed(before)} -> {_listed(after)}")
    if clean.negated != perturbed.negated:
        return Conflict(1.0, "negation lost" if clean.negated else "negation added")
    return Conflict(0.0, "")


def value_of(number: str) -> str:
    """A normalised number without its unit: `20 euros` -> `20`."""
    return number.partition(" ")[0]


def _unmatched(numbers: Set[str], others: Set[str]) -> Set[str]:
    """The numbers that the other side does not have; one without a unit is matched by its value alone."""
    bare = {value_of(other) for other in others}
    unitless = {other for other in others if " " not in other}
    return {
        number
        for number in numbers
        if number not in others and value_of(number) not in (unitless if " " in number else bare)
    }


def _number(match: "regex.Match[str]") -> str:
    symbol, digits, scale, kilo, unit = match.groups()
    value = _value(digits)
    factor = _SCALES.get((scale or kilo or "").casefold(), 1)
    if factor != 1 and value.replace(".", "", 1).isdecimal():
        value = f"{float(value) * factor:.12g}"
    known = _UNITS.get((symbol or unit or "").casefold().rstrip("."), "")
    return f"{value} {known}".strip()


def _value(digits: str) -> str:
    """ASCII digits without grouping; what Python can't read as digits stays as it is.

    >>> _value("1,00,000"), _value("4,5"), _value("१२"), _value("10:30")
    ('100000', '4.5', '12', '10:30')
    """
    known = [str(digit) if (digit := unicodedata.digit(c, None)) is not None else c for c in digits]
    plain = "".join(known)
    if not plain.isascii():
        return digits
    if _GROUPED.fullmatch(plain.partition(".")[0]):
        plain = plain.replace(",", "")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    return f"{float(plain):.12g}" if plain.replace(".", "", 1).isdecimal() else plain


def _bare(word: str) -> str:
    return word.casefold().removesuffix("'s").removesuffix("’s")


def _listed(facts: Set[str]) -> str:
    return ", ".join(sorted(facts))
