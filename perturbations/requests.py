"""Rules that recast questions and commands, in English, Hindi and Hinglish, and keep every content word.

A rule is trusted only where it is surely right: a question that needs another word order than the rule makes is wrapped instead.
"""

import re
from collections.abc import Callable

from holdfast.perturbations.types import Edit

Rewrite = tuple[Edit, ...]

_HINDI = re.compile("[\u0900-\u097f]")
_HINGLISH = re.compile(
    r"\b(?:kya|kyaa|hai|hain|kaun|kahan|kab|kitne|kitna|kitni|kaise|kyun|kiska|kisne|mein|batao|bataiye|tha|thi)\b",
    re.IGNORECASE,
)
_WH = re.compile(r"\s*(what|who|which|when|where|why|how|whose|whom)\b", re.IGNORECASE)
_COMMAND = re.compile(
    r"\s*(summari[sz]e|explain|describe|list|give|write|name|tell|find|compare|classify|translate|identify|state|define"
    r"|calculate|compute|solve|answer|choose|pick|rewrite|show|complete|label|decide|read|extract|generate|create|outline"
    r"|suggest|provide|mention|determine|analy[sz]e)\b(?=\s+\S)",
    re.IGNORECASE,
)


def wrap(text: str) -> list[Rewrite]:
    """Light rewordings: something before the text, whose own words all stay. Never empty for a text with a word in it.

    >>> [Edits_text(text, edits) for text in ["Name a river."] for edits in wrap(text)][:2]
    ['Please name a river.', 'Kindly name a river.']
    """
    if _HINDI.search(text, 0, 2_000):
        return _prefixed(text, "कृपया बताइए: ", "मुझे बताइए: ", "एक सवाल है: ") if "?" in text else _prefixed(text, "कृपया ध्यान दें: ")
    if _HINGLISH.search(text, 0, 2_000):
        return _prefixed(text, "Please bataiye: ", "Mujhe batao: ", "Ek sawaal hai: ")
    if command := _COMMAND.match(text):
        polite = _lowered(text, command)
        return [_before(polite, text, frame) for frame in ("Please ", "Kindly ", "Now ")] + _prefixed(text, "A request: ")
    if question := _WH.match(text):
        lowered = _lowered(text, question)
        frames = ("Tell me: ", "Please answer this question: ", "Quick question: ", "I have a question: ")
        return [_before(lowered, text, frame) for frame in frames] + _prefixed(text, "Question: ")
    if text.rstrip().endswith("?"):
        return _prefixed(text, "Question: ", "Please answer this question: ", "I have a question: ")
    return _prefixed(text, "Please consider the following: ", "Here it is: ", "Take a look at this: ")
