"""Sentences turned into their opposite: what was said is denied, what was denied is said."""

import re
from collections.abc import Sequence
from random import Random

from holdfast.perturbations.choose import choose, edit_count
from holdfast.perturbations.grammar import closed_class
from holdfast.perturbations.protected import masked
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.sentences import count_sentences, sentences
from holdfast.perturbations.text import cluster_cuts
from holdfast.perturbations.types import Edit, Edits
from holdfast.perturbations.verbs import verb_forms


@perturbation("negate", family="meaning", light=0.25, heavy=1.00, units=count_sentences, expects="changed")
def negate(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Deny what sentences say or ask: the answer should change (a directional test).

    Strength is the share of the sentences. Each is negated at its main verb, or loses the `not` that it has, only
    where a rule surely fits; yes/no questions stay (their answers are the same with and without), and so does what
    holds another negative word.

    >>> negate("Who wrote Hamlet?", 1.0, Random(1)).text
    'Who did not write Hamlet?'
    >>> [negate(text, 1.0, Random(1)).text for text in ["Where is the Nile?", "Sales rose again.", "It can't fly."]]
    ["Where isn't the Nile?", 'Sales did not rise again.', 'It can fly.']
    >>> negate("भारत की राजधानी क्या है?", 1.0, Random(1)).text
    'भारत की राजधानी क्या नहीं है?'
    """
    seen, cuts = masked(text, protect), cluster_cuts(text)
    spans = sentences(seen)
    count = edit_count(strength, count_sentences(text))
    found = [edit for start, end in spans if (edit := _negated(seen[start:end], start))] if count else []
    whole = [edit for edit in found if edit.position in cuts and edit.position + len(edit.removed) in cuts]
    return Edits(text, tuple(choose(whole, count, rng)))


_LONGEST = 400  # characters; what is longer is no single sentence


def _negated(sentence: str, offset: int) -> Edit | None:
    """The edit that negates `sentence`, which begins at `offset`; None where no rule surely fits."""
    if len(sentence) > _LONGEST:
        return None
    edit = _hindi(sentence) or _english(sentence)
    return Edit(offset + edit.position, edit.removed, edit.inserted) if edit else None


_HINDI_NOT = re.compile(r"(?<!\S)(?:नहीं|नही|nahin|nahi)(?!\S) ?", re.IGNORECASE)
_HINDI_END = re.compile(
    r"(?<= )((?:(?:गया|गई|गयी|गए|गये|रहा|रही|रहे|जाता|जाती|जाते|चुका|चुकी|चुके|किया|होता|होती|होते|करता|करती|करते"
    r"|gaya|gayi|gaye|raha|rahi|rahe|jaata|jata|jati|jaati|kiya|hota|hoti|hote|karta|karti|karte) )*"
    r"(?:है|हैं|था|थी|थे|थीं|हूँ|होगा|होगी|होंगे|hai|hain|tha|thi|hun|hoga|hogi))(?=[^\w]*$)",
    re.IGNORECASE,
)


def _hindi(sentence: str) -> Edit | None:
    """Hindi and Hinglish: नहीं before the verb that ends the sentence, or away with it."""
    end = _HINDI_END.search(sentence)
    if not end or re.match(r"(?:क्या|kya) ", sentence, re.IGNORECASE):
        return None
    denied = list(_HINDI_NOT.finditer(sentence))
    if denied:
        return Edit(denied[0].start(), denied[0][0], "") if len(denied) == 1 and denied[0][0][-1] == " " else None
    return Edit(end.start(1), "", "नहीं " if "\u0900" <= end[1][0] <= "\u097f" else "nahi ")


_NEGATIVE = re.compile(
    r"\b(?:not|never|no|nobody|nothing|none|neither|nor|hardly|barely|without|cannot)\b|\w+n['’]t\b", re.IGNORECASE
)
_WORD = re.compile(r"[\w'’-]+")
_TAKES_NOT = frozenset("am is are was were can could will would should must has have had does do did".split())
_CONTRACTED = {"can": "can't", "will": "won't"}
_PERFECT = ("has", "have", "had")
_DO = ("do", "does", "did")


def _english(sentence: str) -> Edit | None:
    if negatives := list(_NEGATIVE.finditer(sentence)):
        return _affirmed(sentence, negatives[0]) if len(negatives) == 1 else None
    spans = [match.span() for match in _WORD.finditer(sentence)]
    said = [sentence[start:end].lower() for start, end in spans]
    if not said:
        return None
    is_question = sentence.rstrip("\"'”’) ").endswith("?") or said[0] in closed_class("question")
    if is_question and said[0] not in closed_class("question") | {"in", "at", "on"}:
        return None
    if said[0] in ("if", "because", "while", "although", "unless"):
        return None
    if said[0] == "how" and said[1:2] not in (["many"], ["much"]):
        return None
    if command := _COMMAND.match(sentence):
        word = sentence[command.start(1) : command.end(1)]
        return Edit(command.start(1), word, ("do not " if word[0].islower() else "Do not ") + word.lower())
    for at, word in enumerate(said):
        start, end = spans[at]
        if at > 0 and word in _OPENS_CLAUSE and not (is_question and at < 2):
            return None  # the main verb may lie behind a clause
        if word in _TAKES_NOT and at > 0 and said[at - 1] not in closed_class("determiner", "possessive"):
            return _auxiliary(sentence, said, spans, at, is_question)
        if base := _finite(sentence, said, spans, at):
            auxiliary = "did" if word in verb_forms()["past"] else "does"
            return Edit(start, sentence[start:end], f"{auxiliary} not {base}")
    return None


_OPENS_CLAUSE = frozenset("if that because when while although who which whose where as".split())
_COMMAND = re.compile(
    r"(?:please |kindly )?((?:summari[sz]e|explain|describe|translate|identify|calculate|list|name|tell|show|give|write"
    r"|set|call|send|remind|play|find))(?= (?:the|a|an|me|all|my|this|these|your|to|in)\b)",
    re.IGNORECASE,
)


def _affirmed(sentence: str, negative: re.Match[str]) -> Edit | None:
    """Away with the one `not`: behind an auxiliary, or in its contracted form."""
    word, start = negative[0].lower().replace("’", "'"), negative.start()
    rest = sentence[negative.end() :]
    if re.match(r"\s*(?:only|just|necessarily|until|i|you|he|she|it|we|they)\b|\s*[,?]", rest, re.IGNORECASE):
        return None
    if word == "cannot":
        return Edit(start + 3, negative[0][3:], "")
    if word.endswith("n't"):
        full = {"can't": "can", "won't": "will", "shan't": "shall"}.get(word, word[:-3])
        follows_subject = re.search(r"\w $", sentence[:start]) and word not in ("ain't", "mustn't")
        return None if not follows_subject else Edit(start, negative[0], full.upper() if word.isupper() else full)
    before = _WORD.findall(sentence[:start])[-1:]
    if word == "not" and before and before[0].lower() in _TAKES_NOT and sentence[start - 1] == " ":
        return Edit(start - 1, sentence[start - 1 : negative.end()], "")
    return None


def _auxiliary(
    sentence: str, said: Sequence[str], spans: Sequence[tuple[int, int]], at: int, is_question: bool
) -> Edit | None:
    """`not` after an auxiliary; in questions, where the subject may follow, in its contracted form."""
    start, end = spans[at]
    word, following = said[at], said[at + 1] if at + 1 < len(said) else ""
    if sentence[end : end + 1] != " " or not following or sentence[start - 1] != " ":
        return None
    if word in _PERFECT and not (following in verb_forms()["participle"] or following in ("been", "had", "become")):
        return None
    if word in _DO and not is_question and following not in verb_forms()["base"]:
        return None
    if is_question and word == "am":
        return None
    if is_question:
        return Edit(start, sentence[start:end], _CONTRACTED.get(word, word + "n't"))
    return Edit(end, "", " not")


def _finite(sentence: str, said: Sequence[str], spans: Sequence[tuple[int, int]], at: int) -> str:
    """The base of the word at `at` if it surely is the main verb: behind a subject that ends right before it.

    Subjects are who and pronouns, and names where an object follows; forms that can be nothing but a past tense
    (rose, wrote) need none.
    """
    if at == 0 or sentence[spans[at][0] - 1] != " ":
        return ""
    table, word, before = verb_forms(), said[at], said[at - 1]
    past = table["past"].get(word, "")
    base = past or table["third"].get(word, "")
    if not base:
        return ""
    if past and word not in table["participle"] and word not in table["base"]:
        articles = closed_class("determiner", "possessive")
        ends = at + 1 == len(said) and not articles.isdisjoint(said[:at])
        is_noun = ends or before in articles or not _TAKES_NOT.isdisjoint(said)
        return "" if is_noun and word in _ALSO_NOUNS else base
    if before in ("who", "he", "she", "it") or (past and before in ("i", "we", "you", "they")):
        return base
    name = sentence[spans[at - 1][0]].isupper()
    following = said[at + 1] if at + 1 < len(said) else ""
    takes_object = following in closed_class("determiner", "possessive", "object")
    return base if name and takes_object else ""


_ALSO_NOUNS = frozenset({"rose", "saw", "bit", "spoke", "bore", "fell"})
