"""Rules that reword questions and commands, in English, Hindi and Hinglish, and keep every content word.

A question is recast only where a rule surely fits; `wrap` serves the others, so that no word order comes out wrong.
"""

import re

from holdfast.perturbations.types import Edit

Rewrite = tuple[Edit, ...]

_HINDI = re.compile("[\u0900-\u097f]")
_HINGLISH = re.compile(
    r"\b(?:kya|kyaa|hai|hain|kaun|kahan|kab|kitne|kitna|kitni|kaise|kyun|kiska|kisne|mein|batao|bataiye)\b",
    re.IGNORECASE,
)
_WH = re.compile(r"\s*(what|who|which|when|where|why|how|whose|whom)\b", re.IGNORECASE)
_COMMAND = re.compile(
    r"\s*(?:(?i:summari[sz]e|explain|describe|compare|classify|translate|identify|calculate|compute|rewrite|determine"
    r"|analy[sz]e|define|solve|extract|generate|outline)(?=\s+\S)"
    r"|(?i:list|give|write|name|tell|find|state|answer|choose|pick|show|complete|label|decide|read|create|suggest|provide"
    r"|mention)(?=\s+[a-z0-9\"'(]))"  # a capital after these may be a headline ("State Bank falls")
)


def wrap(text: str) -> list[Rewrite]:
    """Light rewordings: something before the text, whose own words stay. The last one only inserts, so it always fits.

    >>> from holdfast.perturbations import Edits
    >>> [Edits("Name a river.", edits).text for edits in wrap("Name a river.")]
    ['Please name a river.', 'Kindly name a river.', 'A request: Name a river.']
    """
    if _HINDI.search(text, 0, 2_000):
        return _prefixed("कृपया बताइए: ", "मुझे बताइए: ", "एक सवाल है: ") if "?" in text else _prefixed("कृपया ध्यान दें: ")
    if _HINGLISH.search(text, 0, 2_000):
        return _prefixed("Please bataiye: ", "Mujhe batao: ", "Ek sawaal hai: ")
    if command := _COMMAND.match(text):
        return [_led_in(command, "Please "), _led_in(command, "Kindly "), *_prefixed("A request: ")]
    if question := _WH.match(text):
        frames = ("Tell me: ", "Please answer this question: ", "Quick question: ", "I have a question: ")
        return [*(_led_in(question, frame) for frame in frames), *_prefixed("Question: ")]
    if text.rstrip().endswith("?"):
        return _prefixed("Please answer this question: ", "I have a question: ", "Question: ")
    return _prefixed("Please consider the following: ", "Take a look at this: ", "Here it is: ")


def recast(text: str) -> list[Rewrite]:
    """Heavy rewordings of a question or a command; [] where no rule surely fits.

    >>> from holdfast.perturbations import Edits
    >>> [Edits(text, recast(text)[0]).text for text in ["When was Ada born?", "How many moons does Mars have?"]]
    ['Could you tell me when Ada was born?', 'Could you tell me how many moons Mars has?']
    >>> Edits("Summarise the text.", recast("Summarise the text.")[0]).text
    'Could you summarise the text?'
    >>> recast("When does the shop open?")
    []
    """
    if command := _COMMAND.match(text):
        return _recast_command(text, command)
    asked = _QUESTION.fullmatch(text)
    if not asked or len(text) > 300:
        return []
    if _HINDI.search(text):
        return _framed(asked, (), _HINDI_FRAMES) if not text.lstrip().startswith("क्या") else []
    if _HINGLISH.search(text):
        return _framed(asked, (), _HINGLISH_FRAMES) if not text.lstrip().lower().startswith("kya") else []
    moves = _moves(asked[1], asked.start(1)) if _WH.match(text) else None
    return _framed(asked, moves, _ENGLISH_FRAMES) if moves is not None else []


_QUESTION = re.compile(r"\s*((?:[^.?!\n]|\.(?=\w))+?)\s*(\?)\s*")
_ENGLISH_FRAMES = (
    ("Could you tell me ", "?"),
    ("I'd like to know ", "."),
    ("Do you know ", "?"),
    ("Please tell me ", "."),
)
_HINDI_FRAMES = (("क्या आप बता सकते हैं कि ", "?"), ("मैं जानना चाहता हूँ कि ", "।"), ("कृपया बताइए कि ", "।"))
_HINGLISH_FRAMES = (
    ("Kya aap bata sakte hain ki ", "?"),
    ("Mujhe jaanna hai ki ", "."),
    ("Please bataiye ki ", "."),
)


def _framed(asked: re.Match[str], moves: Rewrite, frames: tuple[tuple[str, str], ...]) -> list[Rewrite]:
    """The question inside each frame: its beginning, the `moves` inside it, and its closing mark."""
    question = _WH.match(asked.string)
    start, mark = asked.start(1), asked.start(2)
    rewrites = []
    for frame, close in frames:
        opening = _led_in(question, frame) if question else (Edit(start, "", frame),)
        closing = () if close == "?" else (Edit(mark, "?", close),)
        rewrites.append(joined((*opening, *moves, *closing)))
    return rewrites


def _recast_command(text: str, command: re.Match[str]) -> list[Rewrite]:
    single = re.fullmatch(r"[^.?!\n]+?(\.?)\s*", text)
    if not single:
        return [_led_in(command, frame) for frame in ("I would like you to ", "Your task is to ", "I need you to ")]
    at, dot = single.start(1), single[1]
    return [
        (*_led_in(command, "Could you "), Edit(at, dot, "?")),
        (*_led_in(command, "Would you please "), Edit(at, dot, "?")),
        (*_led_in(command, "I would like you to "),),
    ]


_VERB = r"(is|are|was|were)"
_NAMED = r"((?:(?:the|an?|his|her|its|their|my|our|your|this|that)\b|[A-Z]).*?)"
_PARTICIPLE = (
    r"(born|made|known|built|found|founded|written|held|won|lost|sold|sung|given|seen|shown|worn|drawn|spoken|grown"
    r"|\w{2,}[^\We]ed)"
)
_MOVED_BEFORE_PARTICIPLE = re.compile(rf"(?i:what|where|when|how|why) {_VERB} {_NAMED} (?={_PARTICIPLE}$)")
_MOVED_TO_END = re.compile(rf"(?i:what|who|where) {_VERB} {_NAMED}$")
_THERE = re.compile(r"(?i:how (?:many|much)) .+? (are there|is there)\b(?= |$)")
_HAVE = re.compile(r"(?i:how (?:many|much)) .+? (do|does) .+ (have)$")
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|am|be|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)\b|n['’]t\b"
)
# A question that ends so, or has a clause of its own, needs another word order than these rules make.
_OPEN_END = re.compile(
    r" (?:of|in|on|at|for|from|to|with|by|about|as|like|called|named|into|through|after|under|over|near|there|\w+ing)$"
)
_CLAUSE = re.compile(r"\b(?:when|while|if|because|after|before|who|which|that|or|whose|where)\b|,")


def _moves(question: str, offset: int) -> Rewrite | None:
    """The edits that give a wh-question the order of a statement (what X is); None where no rule surely fits."""
    if match := _THERE.match(question):
        verb, there = match[1].split()
        return (Edit(offset + match.start(1), match[1], f"{there} {verb}"),)
    if match := _HAVE.match(question):
        drop = Edit(offset + match.start(1), match[1] + " ", "")
        third = (Edit(offset + match.start(2), "have", "has"),) if match[1] == "does" else ()
        return (drop, *third)
    if not _AUXILIARY.search(question):
        return () if re.match(r"(?i:who|which|what|how many)\b", question) else None
    if len(_AUXILIARY.findall(question)) > 1:
        return None
    for rule in (_MOVED_BEFORE_PARTICIPLE, _MOVED_TO_END):
        match = rule.match(question)
        if match and not _CLAUSE.search(match[2]):
            if rule is _MOVED_TO_END and (_OPEN_END.search(question) or len(match[2].split()) > 10):
                return None
            drop = Edit(offset + match.start(1), match[1] + " ", "")
            moved = f"{match[1]} " if rule is _MOVED_BEFORE_PARTICIPLE else f" {match[1]}"
            return (drop, Edit(offset + match.end(), "", moved))
    return None


def _prefixed(*frames: str) -> list[Rewrite]:
    return [(Edit(0, "", frame),) for frame in frames]


def _led_in(match: re.Match[str], frame: str) -> Rewrite:
    """`frame` before the matched first word, which loses its capital unless it is all capitals."""
    start = match.end() - len(match[0].lstrip())
    word = match[0].lstrip()
    if word[0].isupper() and (word[1:].islower() or len(word) == 1):
        return (Edit(start, word[0], frame + word[0].lower()),)
    return (Edit(start, "", frame),)


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
