"""What a sentence encoder is blind to: the numbers, the names and the negation of a segment, read off by rule."""

import unicodedata
from dataclasses import dataclass

import regex

_NUMBER = regex.compile(
    r"(?<![\p{L}\p{N}])(\p{Nd}+(?:[.,:]\p{Nd}+)*)(?:\s?(thousand|million|billion|trillion|lakh|crore|k|m|bn)\b)?",
    regex.IGNORECASE,
)
_SCALES = {
    "thousand": 10**3,
    "k": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "m": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "bn": 10**9,
    "trillion": 10**12,
}
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
    if word != "one"  # mostly a pronoun
}
_NAME = regex.compile(r"(?<![\p{L}\p{M}])\p{Lu}[\p{L}\p{M}'’-]*")
_SENTENCE_START = regex.compile(r"(?:^|[.!?।:\n\"“])[\s\"“'(\[*-]*$")
_NEGATION = regex.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|nahi|nahin|nahī̃)\b|n['’]t\b|नहीं|मत\b|न\b|बिना",
    regex.IGNORECASE,
)
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}'’-]+")
_NOT_A_NAME = frozenset({"i", "i'm", "i'll", "i've", "i'd", "am", "pm", "ok"})


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one segment: normalised numbers, names (lower case), whether it is negated, and all its words."""

    numbers: frozenset[str]
    names: frozenset[str]
    negated: bool
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """How far two segments contradict each other, in [0, 1], and the reason in words (empty where they don't)."""

    cost: float
    reason: str


def facts_of(text: str) -> Facts:
    """Read numbers, names and negation off a segment.

    A capitalised word counts as a name unless it opens a sentence, where any word is capitalised.

    >>> facts = facts_of("Then Anna paid 4.5 million, not two.")
    >>> sorted(facts.numbers), sorted(facts.names), facts.negated
    (['2', '4500000'], ['anna'], True)
    """
    text = unicodedata.normalize("NFKC", text)
    words = [word.casefold() for word in _WORD.findall(text)]
    numbers = {_value(match) for match in _NUMBER.finditer(text)}
    numbers |= {_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS}
    names = {
        match.group().casefold().removesuffix("'s").removesuffix("’s")
        for match in _NAME.finditer(text)
        if not _SENTENCE_START.search(text, max(0, match.start() - 20), match.start())
    }
    return Facts(frozenset(numbers), frozenset(names - _NOT_A_NAME), bool(_NEGATION.search(text)), frozenset(words))


def conflict(clean: Facts, perturbed: Facts) -> Conflict:
    """Whether two segments contradict each other in a number, a name or a negation.

    Only contradictions count: a fact that one side merely lacks may stand in another segment of the same answer, and
    what is lost altogether is seen by the alignment.

    >>> conflict(facts_of("Meet at 12."), facts_of("Meet at 21."))
    Conflict(cost=1.0, reason='number 12 -> 21')
    >>> conflict(facts_of("We meet Anna at noon."), facts_of("We meet Anna."))
    Conflict(cost=0.0, reason='')
    """
    for kind, before, after in (
        ("number", clean.numbers - perturbed.numbers, perturbed.numbers - clean.numbers),
        ("name", clean.names - perturbed.words, perturbed.names - clean.words),
    ):
        if before and after:
            return Conflict(1.0, f"{kind} {', '.join(sorted(before))} -> {', '.join(sorted(after))}")
    if clean.negated != perturbed.negated:
        return Conflict(1.0, "negation lost" if clean.negated else "negation added")
    return Conflict(0.0, "")


def _value(match: "regex.Match[str]") -> str:
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in match.group(1))
    if ":" in digits:
        return digits
    number = float(digits.replace(",", "")) if digits.count(".") <= 1 else None
    if number is None:
        return digits
    return f"{number * _SCALES.get((match.group(2) or '').casefold(), 1):.12g}"
