"""Framing: phrases added around a request without changing its own words."""

import re

from holdfast.language.detection import language_of
from holdfast.language.sentences import sentence_spans
from holdfast.perturbations.edits import Edit
from holdfast.perturbations.families.hindi import may_open_with_name, mood

Rewrite = tuple[Edit, ...]

WH = re.compile(r"\s*(what|who|which|when|where|why|how|whose|whom)\b", re.IGNORECASE)
_AUXILIARY = re.compile(r"\s*(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have)\b", re.IGNORECASE)
COMMAND = re.compile(
    r"\s*(?:(?i:summari[sz]e|explain|describe|compare|classify|translate|identify|calculate|compute|rewrite|determine"
    r"|analy[sz]e|define|solve|extract|generate|outline|remind|delete)(?=\s+\S)"
    r"|(?i:list|give|write|name|tell|find|state|answer|choose|pick|show|complete|label|decide|read|create|suggest|provide"
    r"|mention|play|send|call|set)(?=\s+[a-z0-9\"'(]))"  # no capital: "State Bank falls" is a headline
)


def wrap(text: str) -> list[Rewrite]:
    """Return light rewordings that add an introduction before the text.

    The last one is a pure insertion, so it is always applicable.

    >>> from holdfast.perturbations import Edits
    >>> [Edits("Name a river.", edits).text for edits in wrap("Name a river.")]
    ['Please name a river.', 'Kindly name a river.', 'A request: Name a river.']
    """
    language = language_of(text)
    if language in _HINDI_FRAMES:
        return _wrap_hindi(text, language)
    if command := COMMAND.match(text):
        return [lead_in(command, "Please "), lead_in(command, "Kindly "), *prefix_each("A request: ")]
    if question := WH.match(text):
        return [
            *(lead_in(question, frame) for frame in ("Tell me: ", "Quick question: ")),
            *prefix_each("A question: "),
        ]
    if text.rstrip().endswith("?") or _AUXILIARY.match(text):
        return prefix_each("Quick question: ", "A question: ", "Question: ")
    return prefix_each("Please consider the following: ", "Take a look at this: ", "Here it is: ")


_HINDI_FRAMES = {
    "hi": {
        "question": ("कृपया बताइए: ", "मुझे बताइए: ", "सवाल है: "),
        "request": ("एक निवेदन: ", "मेरा निवेदन: "),
        "statement": ("ध्यान दें: ", "एक बात: ", "यह देखिए: "),
    },
    "hi-Latn": {
        "question": ("Please bataiye: ", "Mujhe batao: ", "Ek sawaal: "),
        "request": ("Ek request hai: ", "Meri request: "),
        "statement": ("Ek baat: ", "Yeh dekhiye: ", "Dhyaan dijiye: "),
    },
}
_POLITE = re.compile(r"(?<!\w)(?:please|plz|kripya|कृपया|प्लीज़|प्लीज|meharbani)(?!\w)", re.IGNORECASE)


def _wrap_hindi(text: str, language: str) -> list[Rewrite]:
    """Return introductions that fit the first sentence; a request is made polite unless it already is."""
    start, end = next(iter(sentence_spans(text[:_FIRST])), (0, 0))
    first = text[start:end]
    what = mood(first)
    framed = prefix_each(*_HINDI_FRAMES[language][what])
    if what == "request" and not _POLITE.search(text[:_FIRST]):
        words = ("कृपया ",) if language == "hi" else ("Please ", "Kripya ")
        return [*((lead_in_hindi(text, word),) for word in words), *framed[:1]]
    return framed


_FIRST = 400  # number of characters to search for the end of the first sentence


def lead_in_hindi(text: str, frame: str, start: int = 0) -> Edit:
    """Insert `frame` before the word at `start`, lower-casing the word unless it may be a name."""
    rest = text[start : start + 60]
    word = re.match(r"\w+", rest)
    return lead_in_word(word[0], start, frame) if word and not may_open_with_name(rest) else Edit(start, "", frame)


_OPENINGS = {
    "hi": ("नमस्ते! ", "सुनिए! "),
    "hi-Latn": ("Namaste! ", "Suniye! "),
    "en": ("Hello! ", "Hi there! ", "Good day. "),
}
_CLOSINGS = {
    "hi": (" धन्यवाद।",),
    "hi-Latn": (" Shukriya.", " Dhanyavaad."),
    "en": (" Thank you.", " Thanks in advance."),
}


def courtesies(text: str) -> list[Rewrite]:
    """Return rewordings that add a greeting before the text, or thanks after its final punctuation.

    >>> [edit.inserted for (edit,) in courtesies("Name a river.")]
    ['Hello! ', 'Hi there! ', 'Good day. ', ' Thank you.', ' Thanks in advance.']
    """
    language = language_of(text)
    openings = prefix_each(*_OPENINGS.get(language, _OPENINGS["en"]))
    if text[-1] not in ".?!।":
        return openings
    return [*openings, *((Edit(len(text), "", close),) for close in _CLOSINGS.get(language, _CLOSINGS["en"]))]


def prefix_each(*frames: str) -> list[Rewrite]:
    """Return one rewrite for each frame, inserting it before the text."""
    return [(Edit(0, "", frame),) for frame in frames]


def lead_in(match: re.Match[str], frame: str) -> Rewrite:
    """Insert `frame` before the matched first word, lower-casing the word unless it is in all capitals."""
    start = match.end() - len(match[0].lstrip())
    return (lead_in_word(match[0].lstrip(), start, frame),)


def lead_in_word(word: str, start: int, frame: str) -> Edit:
    """Insert `frame` before the word at `start`, lower-casing the word unless it is in all capitals."""
    if word[0].isupper() and (word[1:].islower() or len(word) == 1):
        return Edit(start, word[0], frame + word[0].lower())
    return Edit(start, "", frame)


def merge_touching(edits: Rewrite) -> Rewrite:
    """Merge edits that touch.

    >>> merge_touching((Edit(0, "What", "Tell me what"), Edit(4, " is", "")))
    (Edit(position=0, removed='What is', inserted='Tell me what'),)
    """
    merged: list[Edit] = []
    for edit in edits:
        if merged and merged[-1].position + len(merged[-1].removed) == edit.position:
            last = merged.pop()
            edit = Edit(last.position, last.removed + edit.removed, last.inserted + edit.inserted)
        merged.append(edit)
    return tuple(merged)
