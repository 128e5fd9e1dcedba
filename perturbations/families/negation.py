"""Negation: sentences turned into their opposite by adding or removing a negation."""

import re
from collections.abc import Sequence
from functools import cache
from random import Random

from holdfast.language.detection import language_of
from holdfast.language.english_verbs import auxiliary_of, contracted_not, verb_form, verb_forms
from holdfast.language.grammar import closed_class, word_before
from holdfast.language.lexicon_tables import words_with
from holdfast.language.sentences import count_sentences, sentence_spans
from holdfast.language.text import cluster_cuts
from holdfast.language.text import words as word_spans
from holdfast.perturbations.choose import choose, edit_count
from holdfast.perturbations.edits import Edit, Edits
from holdfast.perturbations.families.framing import COMMAND
from holdfast.perturbations.families.hindi import mood, question_words, refuse
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import mask


@perturbation("negate", family="meaning", light=0.25, heavy=1.00, units=count_sentences, expects="changed")
def negate(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Negate sentences, so that the answer should change (a directional test).

    Strength is the share of sentences to negate. A sentence is negated at its main verb, or loses its "not", but only
    if a rule is sure to fit. These are kept:

    - yes/no questions (the answer is the same either way), unless they ask about a property with an opposite ("is it
      safe");
    - questions about a thing, number, time or place ("when wasn't it" asks nothing), unless they ask which of several;
    - sentences with another negative word.

    >>> negate("Who wrote Hamlet?", 1.0, Random(1)).text
    'Who did not write Hamlet?'
    >>> [negate(text, 1.0, Random(1)).text for text in ["Fix the bug.", "Sales rose again.", "It can't fly."]]
    ['Do not fix the bug.', 'Sales did not rise again.', 'It can fly.']
    >>> [negate(text, 1.0, Random(1)).text for text in ["Is it safe to swim?", "Which birds can fly?"]]
    ['Is it unsafe to swim?', "Which birds can't fly?"]
    >>> negate("दुकान नौ बजे खुलती है।", 1.0, Random(1)).text
    'दुकान नौ बजे नहीं खुलती है।'
    """
    seen, cuts = mask(text, protect), cluster_cuts(text)
    spans = sentence_spans(seen)
    count = edit_count(strength, count_sentences(text))
    found = [edit for start, end in spans if (edit := _negate_sentence(seen[start:end], start))] if count else []
    whole = [edit for edit in found if edit.position in cuts and edit.position + len(edit.removed) in cuts]
    return Edits(text, tuple(choose(whole, count, rng)))


_LONGEST = 400  # maximum length of a sentence in characters


def _negate_sentence(sentence: str, offset: int) -> Edit | None:
    """Return the edit that negates `sentence`, which starts at `offset`; None if no rule is sure to fit."""
    if len(sentence) > _LONGEST:
        return None
    is_hindi = language_of(sentence) in ("hi", "hi-Latn")
    edit = _negate_hindi(sentence) if is_hindi else _negate_english(sentence)
    return Edit(offset + edit.position, edit.removed, edit.inserted) if edit else None


@cache
def _hindi_not() -> re.Pattern[str]:
    listed = "|".join(sorted(words_with("hi-Latn", "trailing_not")))
    return re.compile(rf"(?<!\S)(?:{listed})(?!\S) ?", re.IGNORECASE)


_HINDI_DO_NOT = re.compile(r"(?<!\S)(?:मत|mat) (?=\S)", re.IGNORECASE)
# The verb group at the end of a sentence: a stem before raha, sakta or gaya; participles; the auxiliary. Nouns in -ta
# are excluded.
_HINDI_END = re.compile(
    r"(?<= )((?:\S+ (?=(?:रहा|रही|रहे|चुका|चुकी|चुके|सकता|सकती|सकते|raha|rahi|rahe|chuka|chuki|sakta|sakti|sakte) ))?"
    r"(?:(?:हो|कर|दे|ले|आ|मिल|बन|ho|kar|de|le|aa|mil|ban) (?=(?:गया|गई|गयी|गए|गये|दिया|दी|लिया|gaya|gayi|gaye"
    r"|diya|liya) ))?"
    r"(?:(?:गया|गई|गयी|गए|गये|रहा|रही|रहे|चुका|चुकी|चुके|किया|की|हुआ|हुई|हुए|लिखा|लिखी|देखा"
    r"|देखी|बनाया|बनाई|रखा|रखी|कहा|दिया|लिया|मिला|मिली"
    r"|आया|आई|gaya|gayi|gaye|raha|rahi|rahe|chuka|chuki|kiya|hua|hui|likha|likhi|dekha|dekhi|banaya|banayi"
    r"|rakha|rakhi|kaha|diya|liya"
    r"|mila|mili|aaya|aayi"
    r"|(?!(?:रास्ता|रास्ते|सस्ता|सस्ती|सस्ते|नाश्ता|रिश्ता|रिश्ते|पत्ता|पत्ते|कुत्ता|कुत्ते|माता|पिता|नेता|जनता"
    r"|ग़लती|गलती"
    r"|सुंदरता|क्षमता|कविता) )"
    r"[\u0900-\u0963]+(?:ता|ती|ते)"
    r"|(?!(?:sasta|sasti|saste|rasta|raste|naashta|nashta|rishta|rishte|patta|kutta|kutte|mata|pita|neta|janta"
    r"|galti|kavita|date|site"
    r"|note|rate|white|late|state|cute|website|data|beta) )[a-z]+(?:ta|ti|te)) )*"
    r"(?:है|हैं|था|थी|थे|थीं|हूँ|हूं|होगा|होगी|होंगे|hai|hain|tha|thi|hun|hoon|hoga|hogi))(?=[^\w]*$)",
    re.IGNORECASE,
)
_HINDI_WHY = frozenset({"क्यों", "kyun", "kyon"})


def _negate_hindi(sentence: str) -> Edit | None:
    """Negate Hindi and Hinglish: add or remove नहीं before the final verb group; मत before a request."""
    denied = [*_hindi_not().finditer(sentence), *_HINDI_DO_NOT.finditer(sentence)]
    if denied:
        return Edit(denied[0].start(), denied[0][0], "") if len(denied) == 1 and denied[0][0][-1] == " " else None
    if mood(sentence) == "request":
        return refuse(sentence)
    end = _HINDI_END.search(sentence)
    if not end or question_words(sentence) - _HINDI_WHY:
        return None
    return Edit(end.start(1), "", "नहीं " if "\u0900" <= end[1][0] <= "\u097f" else "nahi ")


_NEGATIVE = re.compile(
    r"\b(?:not|never|no|nobody|nothing|none|neither|nor|hardly|barely|without|cannot)\b|\w+n['’]t\b", re.IGNORECASE
)
_TAKES_NOT = frozenset("am is are was were can could will would should must has have had does do did".split())
_PERFECT = ("has", "have", "had")
_DO = ("do", "does", "did")


def _negate_english(sentence: str) -> Edit | None:
    if negatives := list(_NEGATIVE.finditer(sentence)):
        return _remove_negation(sentence, negatives[0]) if len(negatives) == 1 else None
    spans = word_spans(sentence)
    words = [sentence[start:end].lower() for start, end in spans]
    if not words:
        return None
    if sentence.rstrip().endswith("?") and (
        asked := _swap_opposite(sentence, words, spans) or _negate_which(sentence, words, spans)
    ):
        return asked
    is_question = sentence.rstrip("\"'”’) ").endswith("?") or words[0] in closed_class("question")
    if (is_question and words[0] not in ("why", "who")) or words[:2] in (["who", "is"], ["who", "was"]):
        return None
    if words[0] in ("if", "because", "while", "although", "unless"):
        return None
    if (at := _command_verb(sentence, words, spans)) is not None:
        start, end = spans[at]
        word = sentence[start:end]
        return Edit(start, word, ("do not " if word[0].islower() else "Do not ") + word.lower())
    for at, word in enumerate(words):
        start, end = spans[at]
        if at > 0 and word in _OPENS_CLAUSE and not (is_question and at < 2):
            return None  # the main verb may follow a subordinate clause
        if word in _TAKES_NOT and at > 0 and words[at - 1] not in closed_class("determiner", "possessive"):
            return _negate_auxiliary(sentence, words, spans, at, is_question)
        if (
            at > 0
            and words[at - 1] in _PLURAL_SUBJECTS
            and word in verb_forms()["base"]
            and word not in verb_forms()["past"]
        ):
            return Edit(start, "", "do not ")
        if base := _main_verb_base(sentence, words, spans, at) or _verb_base_after_noun(sentence, words, spans, at):
            auxiliary = "did" if word in verb_forms()["past"] else "does"
            return Edit(start, sentence[start:end], f"{auxiliary} not {base}")
    return None


_OPPOSITES = {
    "safe": "unsafe", "possible": "impossible", "legal": "illegal", "healthy": "unhealthy", "necessary": "unnecessary",
    "wise": "unwise", "fair": "unfair", "ethical": "unethical", "normal": "abnormal", "polite": "impolite",
    "acceptable": "unacceptable", "reliable": "unreliable", "edible": "inedible", "visible": "invisible",
    "moral": "immoral", "usual": "unusual", "available": "unavailable", "compatible": "incompatible",
}  # fmt: skip


def _swap_opposite(sentence: str, words: Sequence[str], spans: Sequence[tuple[int, int]]) -> Edit | None:
    """Swap an adjective with its opposite ("is it safe", "is it unsafe"); None unless exactly one is asked about."""
    if words[0] not in ("is", "are", "was", "were", "would"):
        return None
    back = {negative: positive for positive, negative in _OPPOSITES.items()}
    found = [at for at, word in enumerate(words) if word in _OPPOSITES or word in back]
    if len(found) != 1 or " or " in sentence:
        return None
    start, end = spans[found[0]]
    return Edit(start, sentence[start:end], _OPPOSITES.get(words[found[0]]) or back[words[found[0]]])


def _negate_which(sentence: str, words: Sequence[str], spans: Sequence[tuple[int, int]]) -> Edit | None:
    """Turn "which planets have rings" into "which planets do not have rings", if the verb follows the noun directly."""
    if len(words) < 4 or words[0] != "which" or not words[1].endswith("s") or words[1].endswith("ss"):
        return None
    start, end = spans[2]
    if sentence[end : end + 1] != " " or words[3] in ("there", *_PLURAL_SUBJECTS, "he", "she", "it"):
        return None
    if words[2] in ("are", "were", "can", "could", "will", "would", "should"):
        follows_subject = words[3] in closed_class("determiner", "possessive") or words[3].endswith("s")
        return None if follows_subject else _negate_auxiliary(sentence, words, spans, 2, True)
    is_verb = words[2] == "have" or (words[2] in verb_forms()["base"] and words[2] not in verb_forms()["past"])
    return Edit(start, "", "do not ") if is_verb else None


_OPENS_CLAUSE = frozenset("if that because when while although who which whose where as".split())
_PLURAL_SUBJECTS = ("i", "we", "you", "they")
_NO_COMMANDS = frozenset("thank hope wish love like mean mind".split())


def _command_verb(sentence: str, words: Sequence[str], spans: Sequence[tuple[int, int]]) -> int | None:
    """Return the index of a command's verb (first, or after a courtesy); None if the sentence is not a command."""
    at = 1 if words[0] in closed_class("courtesy") else 0
    if at + 1 >= len(words) or words[at] in _NO_COMMANDS or sentence[spans[at][1]] != " ":
        return None
    if COMMAND.match(sentence, spans[at][0]):
        return at
    takes_object = words[at + 1] in closed_class("determiner", "possessive", "object")
    return at if words[at] in verb_forms()["base"] and takes_object and words[at + 1] not in ("that", "who") else None


def _verb_base_after_noun(sentence: str, words: Sequence[str], spans: Sequence[tuple[int, int]], at: int) -> str:
    """Return the base form of the verb at `at` after a subject like "The old bank"; "" if another word may be it."""
    table, word = verb_forms(), words[at]
    opens = words[0] in closed_class("possessive") or words[0] in ("the", "a", "an", "this", "that")
    if not opens or not 2 <= at <= 4 or not sentence[spans[at][0]].islower() or sentence[spans[at][0] - 1] != " ":
        return ""
    subject, rest = words[1:at], words[at + 1 :]
    other = table["third"].keys() | table["past"].keys() | _TAKES_NOT
    if not closed_class().isdisjoint(subject) or not other.isdisjoint(rest) or not other.isdisjoint(subject):
        return ""
    following = rest[0] if rest else ""
    is_followed = not rest or following in closed_class("determiner", "possessive", "object", "preposition", "adverb")
    if not is_followed or not sentence.rstrip().endswith((".", "!")):
        return ""
    if base := table["past"].get(word, ""):
        return base
    return table["third"].get(word, "") if not subject[-1].endswith("s") else ""


def _remove_negation(sentence: str, negative: re.Match[str]) -> Edit | None:
    """Remove the only negation: "not" after an auxiliary, or the "n't" of a contraction."""
    word, start = negative[0].lower().replace("’", "'"), negative.start()
    rest = sentence[negative.end() :]
    if re.match(r"\s*(?:only|just|necessarily|until|i|you|he|she|it|we|they)\b|\s*[,?]", rest, re.IGNORECASE):
        return None
    if simple := _without_do(sentence, negative):
        return simple
    if word == "cannot":
        return Edit(start + 3, negative[0][3:], "")
    if word.endswith("n't"):
        full = auxiliary_of(word)
        follows_subject = re.search(r"\w $", sentence[:start]) and word not in ("ain't", "mustn't")
        return None if not follows_subject else Edit(start, negative[0], full.upper() if word.isupper() else full)
    if word == "not" and word_before(sentence, start) in _TAKES_NOT and sentence[start - 1] == " ":
        return Edit(start - 1, sentence[start - 1 : negative.end()], "")
    return None


_DO_NOT = re.compile(r"\b(do|does|did)(?: not|n['’]t) (\w+)\b", re.IGNORECASE)


def _without_do(sentence: str, negative: re.Match[str]) -> Edit | None:
    """Turn "did not sign" into "signed" and "Do not sign" into "Sign"; None unless a listed verb follows."""
    found = next(
        (match for match in _DO_NOT.finditer(sentence) if match.end() > negative.start() >= match.start()), None
    )
    slots = {"do": "base", "does": "third", "did": "past"}
    form = verb_form(found[2].lower(), slots[found[1].lower()]) if found else ""
    if not found or not form or not found[2].islower():
        return None
    return Edit(found.start(), found[0], form.capitalize() if found[1][0].isupper() else form)


def _negate_auxiliary(
    sentence: str, words: Sequence[str], spans: Sequence[tuple[int, int]], at: int, is_question: bool
) -> Edit | None:
    """Insert "not" after an auxiliary, or contract it in questions because the subject may follow."""
    start, end = spans[at]
    word, following = words[at], words[at + 1] if at + 1 < len(words) else ""
    if sentence[end : end + 1] != " " or not following or sentence[start - 1] != " ":
        return None
    if word in _PERFECT and not (following in verb_forms()["participle"] or following in ("been", "had", "become")):
        return None
    if word in _DO and not is_question and following not in verb_forms()["base"]:
        return None
    if is_question and word == "am":
        return None
    if is_question:
        return Edit(start, sentence[start:end], contracted_not(word))
    return Edit(end, "", "not" if word == "can" else " not")


def _main_verb_base(sentence: str, words: Sequence[str], spans: Sequence[tuple[int, int]], at: int) -> str:
    """Return the base form of the word at `at` if it must be the main verb, directly after its subject; else "".

    Subjects are "who", pronouns, and names if an object follows; unambiguous past tenses (rose, wrote) need no subject.
    """
    if at == 0 or sentence[spans[at][0] - 1] != " ":
        return ""
    table, word, before = verb_forms(), words[at], words[at - 1]
    past = table["past"].get(word, "")
    base = past or table["third"].get(word, "")
    if not base:
        return ""
    if past and word not in table["participle"] and word not in table["base"]:
        articles = closed_class("determiner", "possessive")
        ends = at + 1 == len(words) and not articles.isdisjoint(words[:at])
        is_noun = ends or before in articles or not _TAKES_NOT.isdisjoint(words)
        return "" if is_noun and word in _ALSO_NOUNS else base
    if before in ("who", "he", "she", "it") or (past and before in ("i", "we", "you", "they")):
        return base
    name = sentence[spans[at - 1][0]].isupper()
    following = words[at + 1] if at + 1 < len(words) else ""
    takes_more = following in closed_class("determiner", "possessive", "object", *(() if past else ("preposition",)))
    return base if name and takes_more and sentence[spans[at][0]].islower() else ""


_ALSO_NOUNS = frozenset({"rose", "saw", "bit", "spoke", "bore", "fell"})
