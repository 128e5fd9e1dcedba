"""Rules that recast questions and commands in English, Hindi and Hinglish, keeping every content word.

Verbs may be inflected ("does he make" becomes "he makes"). A rule applies only where it is sure to fit; elsewhere
`framing.wrap` is used, so the word order is never wrong.
"""

import re

from holdfast.language.detection import language_of
from holdfast.language.english_verbs import verb_form, verb_forms
from holdfast.language.sentences import sentence_spans
from holdfast.perturbations.edits import Edit
from holdfast.perturbations.families.framing import COMMAND, WH, Rewrite, lead_in, lead_in_hindi, merge_touching
from holdfast.perturbations.families.hindi import mood
from holdfast.perturbations.families.moves import move_year, to_indirect_yes_no, to_statement_order

_LONGEST = 300  # maximum length of a question in characters
_QUESTION = re.compile(r"\s*((?:[^.?!\n]|\.(?=\w))+?)\s*(\?|$)\s*")
_ENGLISH_FRAMES = (("Could you tell me ", "?"), ("I'd like to know ", "."), ("Please tell me ", "."))
_HINDI_FRAMES = (("क्या आप बता सकते हैं कि ", "?"), ("मैं जानना चाहता हूँ कि ", "।"), ("कृपया बताइए कि ", "।"))
_HINGLISH_FRAMES = (
    ("Kya aap bata sakte hain ki ", "?"),
    ("Mujhe jaanna hai ki ", "."),
    ("Please bataiye ki ", "."),
)
_INDIAN_FRAMES = {"hi": _HINDI_FRAMES, "hi-Latn": _HINGLISH_FRAMES}


def recast(text: str) -> list[Rewrite]:
    """Return heavy rewordings of a command, or of the question at the end of `text`; empty if no rule is sure to fit.

    >>> from holdfast.perturbations import Edits
    >>> [Edits(text, recast(text)[0]).text for text in ["When was Ada born?", "How many moons does Mars have?"]]
    ['Could you tell me when Ada was born?', 'Could you tell me how many moons Mars has?']
    >>> Edits("Summarise the text.", recast("Summarise the text.")[0]).text
    'Could you summarise the text?'
    >>> recast("When does the big old shop open?")
    []
    """
    if command := COMMAND.match(text):
        return _recast_command(text, command)
    if request := _CAN_YOU.fullmatch(text):
        return _recast_request(request)
    start, end = next(reversed(sentence_spans(text[-_LONGEST:])), (0, 0))
    offset = max(0, len(text) - _LONGEST) + start
    sentence = text[offset : offset + end - start]
    if start == 0 and len(text) > _LONGEST:
        return []
    return [
        tuple(Edit(offset + edit.position, edit.removed, edit.inserted) for edit in rewrite)
        for rewrite in _recast_question(sentence)
    ]


def _recast_question(question: str) -> list[Rewrite]:
    asked = _QUESTION.fullmatch(question)
    language = language_of(question)
    if asked and language in _INDIAN_FRAMES:
        is_whole = mood(question) == "question" and not question.lower().startswith(("क्या", "kya"))
        return _frame(asked, (), _INDIAN_FRAMES[language]) if is_whole else []
    if not asked or language != "en" or not (asked[2] or WH.match(question)):
        return []
    if not WH.match(question):
        split = to_indirect_yes_no(asked[1])
        return _frame(asked, split, _ENGLISH_FRAMES, "whether ") if split else move_year(question)
    if how := _HOW_DO_I.match(asked[1]):
        to = (Edit(how.start(1), how[1], "to"),)
        can = (Edit(how.start(1), how[1], f"{how[2]} can"),)
        return [*_frame(asked, to, _ENGLISH_FRAMES), *_frame(asked, can, _ENGLISH_FRAMES)]
    found = to_statement_order(asked[1])
    indirect = _frame(asked, found, _ENGLISH_FRAMES) if found is not None else []
    return [*indirect, *_in_place(asked), *_cleft(question), *move_year(question)]


_HOW_DO_I = re.compile(
    r"\s*how ((?:do|can|should) (I|you|we|one))(?= [a-z]+\b(?! not))(?!.* (?:feel|know|like|think)\b)", re.IGNORECASE
)


def _frame(asked: re.Match[str], moved: Rewrite, frames: tuple[tuple[str, str], ...], link: str = "") -> list[Rewrite]:
    """Return the question inside each frame, with the edits in `moved` applied and its final punctuation adapted."""
    question = WH.match(asked.string)
    start, mark = asked.start(1), asked.start(2)
    rewrites = []
    for frame, close in frames:
        if frames is _HINGLISH_FRAMES:
            opening: Rewrite = (lead_in_hindi(asked.string, frame, start),)
        else:
            opening = lead_in(question, frame) if question else (Edit(start, "", frame + link),)
        closing = () if close == asked[2] or not asked[2] else (Edit(mark, asked[2], close),)
        rewrites.append(merge_touching((*opening, *moved, *closing)))
    return rewrites


_WHAT_IS = re.compile(r"\s*(What|Who|what|who) (is|are|was|were) ((?:the|an?|The|[A-Z])\b[^,]*?)(\?)\s*")
_IN_CLAUSE = re.compile(
    r"\b(?:that|which|who|when|if|because|like|of|in|on|at|for|from|to|with|by|about|called)(?=\?|$)"
)


def _in_place(asked: re.Match[str]) -> list[Rewrite]:
    """Turn "What is X?" into "X is what?"."""
    match = _WHAT_IS.fullmatch(asked.string)
    if not match or _IN_CLAUSE.search(asked.string) or len(match[3].split()) > 8 or " that " in match[3]:
        return []
    first = Edit(match.start(1), asked.string[match.start(1) : match.start(3) + 1], match[3][0].upper())
    return [(first, Edit(match.start(4), "", f" {match[2]} {match[1].lower()}"))]


def _cleft(question: str) -> list[Rewrite]:
    """Turn "Who wrote X?" into "Who was it that wrote X?"."""
    match = re.match(r"\s*who(?= (\w+) )", question, re.IGNORECASE)
    if not match or match[1] not in verb_forms()["past"] | verb_forms()["third"]:
        return []
    verb = "was" if match[1] in verb_forms()["past"] else "is"
    cleft: Rewrite = (Edit(match.end(), "", f" {verb} it that"),)
    made = _WHO_MADE.fullmatch(question)
    if not made:
        return [cleft]
    participle = verb_form(verb_forms()["past"][made[2]], "participle")
    asked = "By whom" if made[1][0].isupper() else "by whom"
    passive = (Edit(made.start(1), f"{made[1]} {made[2]}", f"{asked} was"), Edit(made.end(3), "", f" {participle}"))
    return [cleft, passive]


# A work, named or with an article, at the end of the question; a plural might need a different verb.
_WHO_MADE = re.compile(
    r"\s*([Ww]ho) (wrote|painted|composed|directed|designed|invented|discovered|founded|built)"
    r" ((?:(?:the|a|an) )?[A-Z][\w'’]*(?<!s)|the (?:[a-z]+ )?[a-z]+(?<!s))(\??)\s*"
)


_CAN_YOU = re.compile(
    r"\s*((?:Can|Could|Would|Will|can|could|would|will) you (?:please |kindly )?)"
    r"((?:tell|explain|give|show|help|describe|list|write|find|name|suggest|recommend|translate|summari[sz]e|compare|make|create"
    r"|send|provide|read|check|define|identify|let|teach|rewrite|convert|calculate|solve)\b)[^.?!\n]*(\?)\s*"
)


def _recast_request(request: re.Match[str]) -> list[Rewrite]:
    """Turn "Can you explain X?" into "Please explain X."."""
    asked, verb, mark = request.start(1), request[2], request.start(3)
    return [
        (Edit(asked, request[1] + verb, opening), Edit(mark, "?", "."))
        for opening in (f"Please {verb}", f"I would like you to {verb}", verb.capitalize())
    ]


_GIVE = re.compile(r"\s*((?i:give|show|tell) me) (?=(?:the|an?|all|your|some|my)\b)")
_WISHES = {"give me": "I'd like", "show me": "I'd like to see", "tell me": "I'd like to know"}


def _recast_command(text: str, command: re.Match[str]) -> list[Rewrite]:
    single = re.fullmatch(r"[^.?!\n]+?(\.?)\s*", text)
    if not single:
        return [lead_in(command, frame) for frame in ("I would like you to ", "Your task is to ", "I need you to ")]
    at, dot = single.start(1), single[1]
    rewrites: list[Rewrite] = [
        (*lead_in(command, "Could you "), Edit(at, dot, "?")),
        (*lead_in(command, "Would you please "), Edit(at, dot, "?")),
        (*lead_in(command, "I would like you to "),),
    ]
    if wish := _GIVE.match(text):
        rewrites.append((Edit(wish.start(1), wish[1], _WISHES[wish[1].lower()]),))
    return rewrites
