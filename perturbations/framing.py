"""Words around a request that leave its own words alone: an invitation before it, a courtesy before or after it."""

import re

from holdfast.perturbations.languages import language_of
from holdfast.perturbations.types import Edit

Rewrite = tuple[Edit, ...]

WH = re.compile(r"\s*(what|who|which|when|where|why|how|whose|whom)\b", re.IGNORECASE)
_AUXILIARY = re.compile(r"\s*(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have)\b", re.IGNORECASE)
COMMAND = re.compile(
    r"\s*(?:(?i:summari[sz]e|explain|describe|compare|classify|translate|identify|calculate|compute|rewrite|determine"
    r"|analy[sz]e|define|solve|extract|generate|outline|remind|delete)(?=\s+\S)"
    r"|(?i:list|give|write|name|tell|find|state|answer|choose|pick|show|complete|label|decide|read|create|suggest|provide"
    r"|mention|play|send|call|set)(?=\s+[a-z0-9\"'(]))"  # a capital after these may be a headline ("State Bank falls")
)


def wrap(text: str) -> list[Rewrite]:
    """Light rewordings: something before the text, whose own words stay. The last one only inserts, so it always fits.

    >>> from holdfast.perturbations import Edits
    >>> [Edits("Name a river.", edits).text for edits in wrap("Name a river.")]
    ['Please name a river.', 'Kindly name a river.', 'A request: Name a river.']
    """
    language = language_of(text)
    if language == "hi":
        return prefixed("कृपया बताइए: ", "मुझे बताइए: ", "सवाल है: ") if "?" in text else prefixed("कृपया ध्यान दें: ")
    if language == "hi-Latn":
        return prefixed("Please bataiye: ", "Mujhe batao: ", "Ek sawaal: ")
    if command := COMMAND.match(text):
        return [led_in(command, "Please "), led_in(command, "Kindly "), *prefixed("A request: ")]
    if question := WH.match(text):
        return [*(led_in(question, frame) for frame in ("Tell me: ", "Quick question: ")), *prefixed("A question: ")]
    if text.rstrip().endswith("?") or _AUXILIARY.match(text):
        return prefixed("Quick question: ", "A question: ", "Question: ")
    return prefixed("Please consider the following: ", "Take a look at this: ", "Here it is: ")


_OPENINGS = {
    "hi": ("नमस्ते! ", "सुनिए, "),
    "hi-Latn": ("Namaste! ", "Suniye, "),
    "": ("Hello! ", "Hi there! ", "Good day. "),
}
_CLOSINGS = {"hi": (" धन्यवाद।",), "hi-Latn": (" Shukriya.", " Dhanyavaad."), "": (" Thank you.", " Thanks in advance.")}


def courtesies(text: str) -> list[Rewrite]:
    """A greeting before the text, or thanks behind its last full stop.

    >>> [edit.inserted for (edit,) in courtesies("Name a river.")]
    ['Hello! ', 'Hi there! ', 'Good day. ', ' Thank you.', ' Thanks in advance.']
    """
    language = language_of(text)
    openings = prefixed(*_OPENINGS.get(language, _OPENINGS[""]))
    if text[-1] not in ".?!।":
        return openings
    return [*openings, *((Edit(len(text), "", close),) for close in _CLOSINGS.get(language, _CLOSINGS[""]))]


def prefixed(*frames: str) -> list[Rewrite]:
    """Each frame before the text."""
    return [(Edit(0, "", frame),) for frame in frames]


def led_in(match: re.Match[str], frame: str) -> Rewrite:
    """`frame` before the matched first word, which loses its capital unless it is all capitals."""
    start = match.end() - len(match[0].lstrip())
    return (lowered(match[0].lstrip(), start, frame),)


def lowered(word: str, start: int, frame: str) -> Edit:
    """`frame` before the word at `start`, which loses its capital unless it is all capitals."""
    if word[0].isupper() and (word[1:].islower() or len(word) == 1):
        return Edit(start, word[0], frame + word[0].lower())
    return Edit(start, "", frame)


def joined(edits: Rewrite) -> Rewrite:
    """`edits`, with those that touch made one.

    >>> joined((Edit(0, "What", "Tell me what"), Edit(4, " is", "")))
    (Edit(position=0, removed='What is', inserted='Tell me what'),)
    """
    apart: list[Edit] = []
    for edit in edits:
        if apart and apart[-1].position + len(apart[-1].removed) == edit.position:
            last = apart.pop()
            edit = Edit(last.position, last.removed + edit.removed, last.inserted + edit.inserted)
        apart.append(edit)
    return tuple(apart)
