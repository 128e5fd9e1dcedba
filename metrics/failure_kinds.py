"""Why an answer to a disturbed question is wrong: one of five kinds, decided by rules on the edits and the answer."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import regex

from holdfast.language.compared_words import compared_words, find_words
from holdfast.language.spelling import frequency
from holdfast.language.text import count_words, lower_words, words
from holdfast.metrics.scores.safety import is_incoherent, is_refusal

ENCODING, EMOJI, PARSE = "encoding issue", "emoji interference", "parse failure"
ENTITY, DRIFT = "entity misrecognition", "semantic drift"
FAILURES = (ENCODING, EMOJI, PARSE, ENTITY, DRIFT)
"""The kinds, in the order in which their rules are tried."""

_SHORT = 4
"""Words of a short answer, in which a single unknown word is a broken answer."""

_REPEATED = 0.5
"""Share of different words below which an answer of several words goes in circles."""

_DAMAGED = regex.compile(r"[\uFFFD\u200B-\u200D\u2060\uFEFF\uFF01-\uFF5E\x80-\x9f]")
_EMOJI = regex.compile(r"\p{Extended_Pictographic}")
_LETTER = regex.compile(r"\p{L}")
_NUMBER = regex.compile(r"\d+(?:[.,]\d+)*")
_NO_ANSWER = regex.compile(
    r"^\W*(?:i['’]m (?:sorry|glad|happy|here)|i am (?:sorry|here)|sorry|how can i|could you)\b", regex.I
)


def is_wrong(output: str, references: Sequence[str]) -> bool:
    """Return whether an answer says none of the references, as whole words.

    >>> is_wrong("It is Paris, of course.", ["Paris"]), is_wrong("Parisian", ["Paris"])
    (False, True)
    """
    said = compared_words(output)
    return all(find_words(compared_words(reference), said) is None for reference in references)


def failure_kind(
    output: str,
    references: Sequence[str],
    *,
    content: str,
    clean: str,
    edits: Sequence[tuple[int, str, str]],
    text: str,
) -> str:
    """Return the kind of a wrong answer to a disturbed question. The first rule that holds decides:

    1. `encoding issue`: the answer has damaged or invisible characters, or letters of a script that neither the
       question, nor the references, nor the clean answer have.
    2. `emoji interference`: the disturbance inserted emoji, and the answer has one, or the clean answer was right.
    3. `parse failure`: nothing can be taken for an answer. It is empty, refuses or asks back, goes in circles, repeats
       words of the question and nothing else, is short and no known word, or is a fragment of a number.
    4. `entity misrecognition`: a name where a name was expected, or a number where a number was; or a name that is a
       misspelt word of the question. Names and numbers of the question itself don't count.
    5. `semantic drift`: anything else, such as an answer to another question.

    Args:
        output: The wrong answer.
        references: The right ones.
        content: The question as it was meant.
        clean: The answer to that question.
        edits: (position, removed, inserted) of the disturbance.
        text: The disturbed question.

    >>> asked = {"content": "Capital of France?", "text": "Kapital of France?", "edits": [(0, "C", "K")]}
    >>> failure_kind("Lyon", ["Paris"], clean="Paris", **asked)
    'entity misrecognition'
    """
    emoji = any(_EMOJI.search(inserted) for _, _, inserted in edits)
    if _DAMAGED.search(output) or _scripts(output) - _scripts(" ".join((content, clean, *references))):
        return ENCODING
    if emoji and (_EMOJI.search(output) or not is_wrong(clean, references)):
        return EMOJI
    if _is_no_answer(output, references, content, text):
        return PARSE
    return ENTITY if _is_other_entity(output, references, content, text) else DRIFT


def _scripts(text: str) -> set[str]:
    """Return the scripts of the letters of a text."""
    return {_script(letter) for letter in set(_LETTER.findall(text))}


@cache
def _script(letter: str) -> str:
    return next((name for name, pattern in _script_patterns() if pattern.match(letter)), "other")


@cache
def _script_patterns() -> list[tuple[str, Any]]:
    names = (
        "Latin Greek Cyrillic Armenian Cherokee Devanagari Arabic Hebrew Han Hiragana Katakana Hangul Thai Lisu".split()
    )
    return [(name, regex.compile(rf"\p{{Script={name}}}")) for name in names]


def _is_no_answer(output: str, references: Sequence[str], content: str, text: str) -> bool:
    said, spoken = compared_words(output), lower_words(output)
    if not said or is_refusal(output) or is_incoherent(output) or _NO_ANSWER.search(output):
        return True
    if len(spoken) > _SHORT and len(set(spoken)) / len(spoken) <= _REPEATED:
        return True
    asked = {*compared_words(content), *compared_words(text)}
    telling = {word for word in said if len(word) > 2}
    if telling and telling <= asked:
        return True
    if len(spoken) <= _SHORT and any(word.isascii() and word.isalpha() and not _is_known(word) for word in said):
        return True
    return any(reference.isdigit() and _is_fragment(said, reference) for reference in references)


def _is_known(word: str) -> bool:
    return len(word) <= 2 or frequency(word) > 0


def _is_fragment(said: Sequence[str], number: str) -> bool:
    return len(said) == 1 and said[0].isdigit() and len(said[0]) < len(number) and len(number) > 2


def _is_other_entity(output: str, references: Sequence[str], content: str, text: str) -> bool:
    asked = {*compared_words(content), *compared_words(text)}
    if any(_NUMBER.search(reference) for reference in references):
        return bool({*_NUMBER.findall(output)} - {*_NUMBER.findall(content)})
    names = {word for name in _names(output) for word in compared_words(name) if len(word) > 1}
    garbled = {*compared_words(text)} - {*compared_words(content)}
    if names & garbled:
        return True
    return any(map(_capitalised, references)) and bool(names - asked)


def _names(output: str) -> Iterable[str]:
    """Yield the capitalised words of an answer; the first word of a sentence only if the whole answer is short."""
    said = count_words(output)
    for start, end in _capitalised(output):
        before = output[:start].rstrip(" \"'“‘(")
        if said <= _SHORT or (before and before[-1] not in ".!?:\n"):
            yield output[start:end]


def _capitalised(text: str) -> list[tuple[int, int]]:
    """Return the spans of the capitalised words of two or more characters."""
    return [(start, end) for start, end in words(text) if text[start].isupper() and end - start > 1]
