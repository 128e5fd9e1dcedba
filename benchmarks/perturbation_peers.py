"""The peers that `perturbations.py` compares with: public packages that can be imported, and plain loops.

A peer is a function `(text, rng) -> text` that changes about `RATE` of the characters or words, as Holdfast does.
Packages are set to that rate as far as they allow: one character in a share of the words, or a fixed cadence.
"""

import random
from collections.abc import Callable
from random import Random
from typing import Any

from holdfast.language.keyboards import neighbours

RATE = 0.05
WORD_LENGTH = 5.4  # characters per word with its space; RATE * WORD_LENGTH of the words gives RATE of the characters

Peer = Callable[[str, Random], object]


def packages() -> tuple[dict[str, dict[str, Peer]], dict[str, str]]:
    """Return the peers of each perturbation by package, and the packages that can't be used with their errors."""
    found = {name: {"NL-Augmenter's way": peer} for name, peer in NL_AUGMENTERS_WAY.items()}
    missing: dict[str, str] = {}
    for package, load in (("nlpaug", _nlpaug), ("AugLy", _augly), ("LangTest", _langtest), ("TextAttack", _textattack)):
        try:
            for name, peer in load().items():
                found.setdefault(name, {})[package] = peer
        except Exception as error:
            said = " ".join(str(error).replace("*", "").split())
            missing[package] = f"{type(error).__name__}: {said[:150]}"
    return found, missing


def _nlpaug() -> dict[str, Peer]:
    import nlpaug.augmenter.char as char
    import nlpaug.augmenter.word as word

    one: dict[str, Any] = {"aug_char_min": 1, "aug_char_max": 1, "aug_word_p": RATE * WORD_LENGTH, "aug_word_max": None}
    some: dict[str, Any] = {"aug_p": RATE, "aug_max": None}
    made = {
        "typos": char.KeyboardAug(include_special_char=False, include_numeric=False, include_upper_case=False, **one),
        "char_deletion": char.RandomCharAug(action="delete", **one),
        "ocr": char.OcrAug(**one),
        "word_deletion": word.RandomWordAug(action="delete", **some),
        "word_swap": word.RandomWordAug(action="swap", **some),
        "spacing": word.SplitAug(**some),
    }
    return {name: (lambda text, rng, augmenter=augmenter: augmenter.augment(text)) for name, augmenter in made.items()}


def _augly() -> dict[str, Peer]:
    import augly.text as augly

    words = {"aug_word_p": RATE * WORD_LENGTH, "aug_char_max": 1}
    every, every_word = 1 / RATE, WORD_LENGTH / RATE
    return {
        "spacing": lambda text, rng: augly.insert_whitespace_chars(text, cadence=every_word, vary_chars=True),
        "zero_width": lambda text, rng: augly.insert_zero_width_chars(text, cadence=every, vary_chars=True),
        "punctuation": lambda text, rng: augly.insert_punctuation_chars(text, cadence=every_word, vary_chars=True),
        "confusables": lambda text, rng: augly.replace_similar_unicode_chars(text, **words),
        "case": lambda text, rng: augly.change_case(text, granularity="char", cadence=every),
    }


def _langtest() -> dict[str, Peer]:
    from langtest.transform import robustness

    def typos(text: str, rng: Random) -> object:
        for _ in range(round(RATE * len(text))):  # each call makes one typo
            text = robustness.AddTypo.transform([text])[0]
        return text

    return {"typos": typos, "ocr": lambda text, rng: robustness.AddOcrTypo.transform([text], RATE * WORD_LENGTH)}


def _textattack() -> dict[str, Peer]:
    import textattack.augmentation as textattack

    chars = textattack.CharSwapAugmenter(pct_words_to_swap=RATE * WORD_LENGTH, transformations_per_example=1)
    words = textattack.DeletionAugmenter(pct_words_to_swap=RATE, transformations_per_example=1)
    return {"typos": lambda text, rng: chars.augment(text), "word_deletion": lambda text, rng: words.augment(text)}


def per_character(change: Callable[[str, Random], str], fits: Callable[[str], bool]) -> Peer:
    """Return a loop that makes a random draw for every character."""

    def loop(text: str, rng: Random) -> str:
        changed = []
        for character in text:
            if rng.random() < RATE and fits(character):
                changed.append(change(character, rng))
            else:
                changed.append(character)
        return "".join(changed)

    return loop


def per_word(change: Callable[[str, Random], str]) -> Peer:
    """Return a loop that makes a random draw for every space-separated word."""

    def loop(text: str, rng: Random) -> str:
        changed = []
        for word in text.split(" "):
            if rng.random() < RATE:
                changed.append(change(word, rng))
            else:
                changed.append(word)
        return " ".join(changed)

    return loop


def _swap(text: str, rng: Random) -> str:
    words = text.split(" ")
    for at in range(len(words) - 1):
        if rng.random() < RATE:
            words[at], words[at + 1] = words[at + 1], words[at]
    return " ".join(words)


def _delete(text: str, rng: Random) -> str:
    kept = []
    for word in text.split(" "):
        if rng.random() >= RATE:
            kept.append(word)
    return " ".join(kept)


def _truncate(text: str, rng: Random) -> str:
    words = text.split(" ")
    return " ".join(words[: round(len(words) * (1 - RATE))])


_KEYS = neighbours()
_ALIKE = dict(zip("aceopsxyij", "асеорѕхуіј", strict=True))
_SCANNED = {"l": "1", "o": "0", "m": "rn", "e": "c", "s": "5", "i": "l", "h": "b", "n": "ri", "u": "ii", "g": "9"}
_ACCENTED = {"a": "á", "e": "é", "i": "í", "o": "ó", "u": "ú", "c": "ç", "n": "ñ"}

LOOPS: dict[str, Peer] = {
    "typos": per_character(lambda letter, rng: rng.choice(_KEYS[letter]), _KEYS.__contains__),
    "char_deletion": per_character(lambda letter, rng: "", str.isalpha),
    "case": per_character(lambda letter, rng: letter.swapcase(), str.isalpha),
    "ocr": per_character(lambda letter, rng: _SCANNED[letter], _SCANNED.__contains__),
    "confusables": per_character(lambda letter, rng: _ALIKE[letter], _ALIKE.__contains__),
    "fullwidth": per_character(lambda letter, rng: chr(ord(letter) + 0xFEE0), str.isalpha),
    "accents": per_character(lambda letter, rng: _ACCENTED[letter], _ACCENTED.__contains__),
    "zero_width": per_character(lambda letter, rng: letter + "\u200b", str.isalpha),
    "word_deletion": _delete,
    "word_swap": _swap,
    "word_repeat": per_word(lambda word, rng: f"{word} {word}"),
    "truncate": _truncate,
    "spacing": per_word(lambda word, rng: f"{word} "),
    "punctuation": per_word(lambda word, rng: word + rng.choice(".,;:!?")),
    "emoji": per_word(lambda word, rng: f"{word} " + rng.choice("😀😂😊😍😎😉😅")),
    "markdown": per_word(lambda word, rng: f"**{word}**"),
}


def _butter_fingers(text: str, rng: Random) -> str:
    """Make keyboard typos as NL-Augmenter does: lower-case each letter, draw a number below 100, restore the case."""
    rng.seed(0)
    changed = ""
    for letter in text:
        lower = letter.lower()
        if lower in _KEYS and rng.choice(range(100)) < 100 * RATE:
            lower = rng.choice(_KEYS[lower])
        changed += lower.upper() if letter.isupper() else lower
    return changed


def _white_space(text: str, rng: Random) -> str:
    """Delete and insert spaces as NL-Augmenter does, with one draw for each character."""
    rng.seed(0)
    changed = []
    for character in text:
        draw = rng.random()
        if character.isspace() and draw < RATE / 2:
            continue
        changed.append(character)
        if not character.isspace() and draw < RATE / 2 / WORD_LENGTH:
            changed.append(" ")
    return "".join(changed)


NL_AUGMENTERS_WAY: dict[str, Peer] = {"typos": _butter_fingers, "spacing": _white_space}


def seed_global_state() -> None:
    """Seed the global generator, which some packages draw from."""
    random.seed(0)
