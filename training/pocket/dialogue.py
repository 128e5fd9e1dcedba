"""Dialogues and their summaries: scenes from daily life with random names, places, times and amounts."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Literal

from holdfast.training.pocket.vocabulary import Example, fill, prefer_first, roughen, table

PROMPT = "Summarise this dialogue.\n\n{content}"
SKILL = "dialogue_summary"


Words = Literal["corpus", "practice", "heldout"]
"""The source of names and places: the word tables, mostly coined words, or the tables reserved for the suites."""


def _pick(kind: str, rng: Random, source: Words) -> str:
    """Draw an entry of a word table; `practice` mostly coins a word instead if the suites reserve entries."""
    words = table("dialogue_words")
    if source == "practice" and f"heldout_{kind}" in words and rng.random() < 0.65:
        return coin_word(rng)
    return str(rng.choice(words.get(f"heldout_{kind}", words[kind]) if source == "heldout" else words[kind]))


def coin_word(rng: Random) -> str:
    """Coin a word from pieces of two names or from random letters, so that a model can only copy it.

    >>> [coin_word(Random(seed)) for seed in (1, 2)]
    ['Andrfred', 'Dal']
    """
    words = table("dialogue_words")
    if rng.random() < 0.6:
        kinds = ("names", "surname", "place_first", "restaurant_second", "petname", "city")
        first, last = (str(rng.choice(words[rng.choice(kinds)])) for _ in range(2))
        made = first[: rng.randrange(1, 5)] + last[-rng.randrange(2, 6) :]
    else:
        syllables = rng.choice((1, 2, 2, 3))
        made = "".join(rng.choice("bcdfghjklmnprstvwyz") + rng.choice("aaeeiioouy") for _ in range(syllables))
        made += rng.choice(("", "", "n", "s", "r", "l", "sh", "tt", "nd", "m", "x"))
    made = made.lower().replace(" ", "").capitalize()
    reserved = any(made in words[kind] for kind in words if kind.startswith("heldout_"))
    return coin_word(rng) if reserved or len(made) < 3 else made


def _invented_name(rng: Random) -> str:
    """Make a name from random syllables, so that a model learns to copy names rather than memorise a list."""
    words = table("dialogue_words")
    syllables = [rng.choice(words["onsets"]) + rng.choice(words["vowels"]) for _ in range(rng.choice((1, 2, 2, 3)))]
    ending: str = rng.choice([*words["codas"], "", "", ""])
    return ("".join(syllables) + ending).capitalize()


def _name(rng: Random, source: Words) -> str:
    if source == "corpus" and rng.random() < 0.45:
        return _invented_name(rng)
    return _pick("names", rng, source)


def _place(rng: Random, source: Words) -> str:
    """Return a place name of two parts, such as Alderbridge, or sometimes an invented word."""
    if source == "corpus" and rng.random() < 0.3:
        return _invented_name(rng)
    return _pick("place_first", rng, source) + _pick("place_last", rng, source)


def _time(rng: Random) -> str:
    hour, minute = rng.randrange(1, 13), rng.choice((0, 0, 15, 30, 45, 5, 10, 20, 40, 50))
    style = rng.randrange(4)
    if style == 0:
        half = rng.choice(("am", "pm"))
        return f"{hour} {half}" if minute == 0 else f"{hour}:{minute:02d} {half}"
    if style == 1:
        return f"{rng.randrange(7, 23)}:{minute:02d}"
    if style == 2:
        return f"{hour} o'clock"
    return f"{hour}:{minute:02d}"


def _money(rng: Random, low: int, high: int) -> str:
    amount = rng.randrange(low, high)
    return rng.choice((f"${amount}", f"{amount} euros", f"{amount} dollars", f"£{amount}", f"{amount} rupees"))


_RANGES: Mapping[str, tuple[int, int]] = {
    "small": (1, 20),
    "several": (2, 30),
    "number": (10, 400),
    "minutes": (5, 95),
    "house": (1, 250),
    "busno": (1, 300),
    "order": (1000, 100000),
}
"""The slots that hold a number, with the range it is drawn from."""

_COUNTS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve")


def _value(kind: str, rng: Random, source: Words) -> str:
    """Return a random value for one kind of slot."""
    if kind in _RANGES:
        return str(rng.randrange(*_RANGES[kind]))
    make = _AMOUNTS.get(kind)
    if make:
        return make(rng)
    build = _NAMED.get(kind)
    return build(rng, source) if build else _pick(kind, rng, source)


def _pages(rng: Random) -> str:
    first = rng.randrange(3, 180)
    return f"{first} to {first + rng.randrange(2, 40)}"


_AMOUNTS: Mapping[str, Callable[[Random], str]] = {
    "time": _time,
    "count": lambda rng: rng.choice(_COUNTS),
    "pages": _pages,
    "percent": lambda rng: f"{rng.randrange(5, 100)}%",
    "money": lambda rng: _money(rng, 2, 300),
    "salary": lambda rng: _money(rng, 500, 9000),
    "duration": lambda rng: rng.choice(
        (f"{rng.randrange(10, 60)} minutes", f"{rng.randrange(2, 9)} hours", "half an hour")
    ),
    "gate": lambda rng: f"{rng.choice('ABCDEFG')}{rng.randrange(1, 60)}",
}
"""The slots that hold times and amounts."""


def _town(rng: Random, source: Words) -> str:
    return _place(rng, source) if rng.random() < 0.6 else _pick("city", rng, source)


def _two(first: str, second: str, between: str = " ") -> Callable[[Random, Words], str]:
    return lambda rng, source: f"{_pick(first, rng, source)}{between}{_pick(second, rng, source)}"


def _venue(kind: str) -> Callable[[Random, Words], str]:
    return lambda rng, source: _pick(kind, rng, source).format(p=_place(rng, source))


_NAMED: Mapping[str, Callable[[Random, Words], str]] = {
    "date": lambda rng, source: f"{rng.randrange(1, 29)} {_pick('month', rng, source)}",
    "room": lambda rng, source: rng.choice((f"room {rng.randrange(1, 500)}", f"the {_place(rng, source)} room")),
    "town": _town,
    "street": lambda rng, source: f"{_place(rng, source)} {_pick('street_kind', rng, source)}",
    "venue": _venue("venue_kind"),
    "hotel": _venue("hotel_kind"),
    "shop": lambda rng, source: _pick("shop_kind", rng, source).format(p=_place(rng, source), s=_name(rng, source)),
    "restaurant": lambda rng, source: f"the {_two('restaurant_first', 'restaurant_second')(rng, source)}",
    "film": _two("film_first", "film_second"),
    "company": _two("company_first", "company_second", ""),
}
"""The slots that hold names of places and things."""


def _fill_slots(slots: dict[str, str], values: dict[str, str], rng: Random, source: Words) -> None:
    """Draw a value for every slot, different from those of all other slots."""
    for slot, kind in slots.items():
        value = _value(kind, rng, source)
        while value in values.values():
            value = _value(kind, rng, source)
        values[slot] = value


def _people(rng: Random, source: Words) -> dict[str, str]:
    people: dict[str, str] = {}
    for role in "ABCD":
        name = _name(rng, source)
        while any(name.startswith(other) or other.startswith(name) for other in people.values()):
            name = _name(rng, source)
        people[role] = name
    return people


def _turns(parts: list[str], values: dict[str, str]) -> str:
    """Write the dialogue with one line per turn, merging consecutive turns of one speaker."""
    lines: list[tuple[str, str]] = []
    for part in parts:
        for turn in part.split("|"):
            role, said = turn[0], fill(turn[3:], values)
            if lines and lines[-1][0] == role:
                lines[-1] = (role, f"{lines[-1][1]} {said}")
            else:
                lines.append((role, said))
    return "\n".join(f"{values[role]}: {said}" for role, said in lines)


def make(rng: Random, scene: dict[str, Any], source: Words = "corpus") -> Example:
    """Make a dialogue of this scene with its summary, reference summaries and key facts.

    Args:
        rng: The source of randomness.
        scene: An entry of the table `scenes`.
        source: Where names and places come from.
    """
    words = table("dialogue_words")
    values = _people(rng, source)
    _fill_slots(scene["slots"], values, rng, source)
    parts = [rng.choice(beat) for beat in scene["beats"]]
    sentences: list[list[str]] = list(scene["sum"])
    extras = [extra for extra in scene["extra"] if rng.random() < (0.45 if len(scene["sum"]) > 1 else 0.7)]
    for extra in extras[:2]:
        _fill_slots(extra.get("slots", {}), values, rng, source)
        parts.append(rng.choice(extra["say"]))
        sentences.append(extra["sum"])
    if rng.random() < 0.35:
        parts.insert(rng.choice((0, len(parts))), rng.choice(words["noise"]))
    if rng.random() < 0.5:
        parts.insert(0, rng.choice(words["greetings"]))
    if rng.random() < 0.5:
        parts.append(rng.choice(words["closings"]))
    content = _turns(parts, values)
    answer = " ".join(fill(prefer_first(options, rng), values) for options in sentences)
    references = tuple(
        dict.fromkeys(" ".join(fill(options[k % len(options)], values) for options in sentences) for k in (0, 1))
    )
    always = [{slot for slot in values if all(f"{{{slot}}}" in option for option in options)} for options in sentences]
    facts = tuple(value for slot, value in values.items() if any(slot in slots for slots in always))
    tags = {"domain": scene["domain"]}
    return Example(SKILL, content, PROMPT.format(content=content), answer, references, facts, tags)


def example(rng: Random, source: Words = "corpus") -> Example:
    """Make a random dialogue of the corpus."""
    made = make(rng, rng.choice(table("scenes")), source)
    instruction = prefer_first(table("dialogue_words")["instructions"], rng, 0.4)
    content = roughen(made.content, rng, 0.7)
    prompt = f"{content}\n\n{instruction}" if rng.random() < 0.1 else f"{instruction}\n\n{content}"
    return Example(SKILL, content, prompt, made.answer, made.references, made.facts, made.tags)
