"""Contractions (I am, I'm) in both directions, where the meaning is sure to stay the same."""

import re
from collections.abc import Sequence
from random import Random

from holdfast.language.english_verbs import contracted_not, verb_forms
from holdfast.language.grammar import closed_class, is_sentence_start, word_after, word_before
from holdfast.language.text import cluster_cuts, count_words
from holdfast.perturbations.choose import choose, edit_count
from holdfast.perturbations.edits import Edit, Edits
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import mask


@perturbation("contractions", family="rewording", light=0.05, heavy=0.50, units=count_words)
def contractions(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Contract full forms and expand contractions wherever the sentence allows it.

    >>> contractions("What is the name, and why don't they know it?", 1.0, Random(1)).text
    "What's the name, and why don't they know it?"
    >>> contractions("I'm sure it's been here, but it doesn't work.", 1.0, Random(1)).text
    'I am sure it has been here, but it does not work.'
    """
    count = edit_count(strength, count_words(text))
    if not count:
        return Edits(text)
    seen, cuts = mask(text, protect), cluster_cuts(text)
    mark = "’" if "’" in text and "'" not in text else "'"
    edits = [edit for match in _CANDIDATE.finditer(seen) if (edit := _other_form(seen, match, mark))]
    whole = [edit for edit in edits if edit.position in cuts and edit.position + len(edit.removed) in cuts]
    return Edits(text, tuple(choose(whole, count, rng)))


_TAKES_NOT = "is are was were do does did has have had would could should will".split()
_NOT = {contracted_not(word): f"{word} not" for word in _TAKES_NOT} | {contracted_not("can"): "cannot"}
_FULL_NOT = {full: short for short, full in _NOT.items()} | {"can not": "can't"}
_ENDINGS = {"am": "'m", "are": "'re", "have": "'ve", "will": "'ll", "is": "'s"}
_FULL_ENDINGS = {"'m": "am", "'re": "are", "'ve": "have", "'ll": "will"}

_SHORT = "|".join(_NOT).replace("'", "['’]")
_CANDIDATE = re.compile(
    r"(?<![\w'’-])(?:"
    rf"(?P<not>{_SHORT})"
    rf"|(?P<full_not>(?:{'|'.join(_TAKES_NOT)}|can) ?not)"
    r"|(?:i|you|we|they|he|she|it|that|there|what|who|where|let)(?:['’](?:m|re|ve|ll|s|d)| (?:am|are|is|have|will))"
    r")(?![\w'’-])",
    re.IGNORECASE,
)


def _other_form(text: str, match: re.Match[str], mark: str) -> Edit | None:
    start, end, found = match.start(), match.end(), match[0]
    lower = found.lower().replace("’", "'")
    if match["not"]:
        other = _NOT[lower] if _stands_in_statement(text, start, end) else ""
    elif match["full_not"]:
        other = _FULL_NOT.get(lower, "")
        other = "" if word_after(text, end) in ("only", "just", "to", "less", "more") else other
    elif "'" in lower:
        host, ending = lower.split("'")
        full = _full_ending(host, f"'{ending}", word_after(text, end))
        other = f"{host} {full}" if full else ""
    else:
        host, verb = lower.split(" ")
        other = host + _ENDINGS[verb] if _may_contract(text, start, end, host, verb) else ""
    if not other:
        return None
    other = other.replace("'", mark)
    is_loud = found.isupper() and len(found) > 3
    return Edit(start, found, other.upper() if is_loud else found[0] + other[1:])


def _stands_in_statement(text: str, start: int, end: int) -> bool:
    """Return whether "not" may follow the verb here, i.e. no subject follows as in "isn't it" and "why don't they"."""
    after, before = word_after(text, end), word_before(text, start)
    if not after or after in closed_class("subject", "object", "pronoun"):
        return False
    opens = is_sentence_start(text, start) or before in closed_class("question")
    return not opens or (text[start : start + 3].lower() == "don" and after in verb_forms()["base"])


_HAS = ("been", "got", "had", "become", "already")
_IS = frozenset("a an the my your his her our their not very so too going time no quite really in at on from".split())


def _full_ending(host: str, ending: str, after: str) -> str:
    """Return what a contracted ending stands for, judging by the next word; "" if unclear."""
    if host == "let":
        return "us" if ending == "'s" and after in verb_forms()["base"] else ""
    if ending == "'s":
        if after in _HAS:
            return "has"
        ing = after.endswith("ing") and after[:-3] != "th"
        return "is" if after in _IS or ing else ""
    if ending == "'d":
        return "would" if after in ("like", "love", "prefer", "rather", "be", "have", "go", "say") else ""
    fits = (ending == "'m") == (host == "i") or ending in ("'ve", "'ll")
    return _FULL_ENDINGS[ending] if fits and host in ("i", "you", "we", "they", "he", "she", "it") and after else ""


_AGREES = {
    "am": ("i",),
    "are": ("you", "we", "they"),
    "have": ("i", "you", "we", "they"),
    "will": ("i", "you", "we", "they", "he", "she", "it"),
    "is": ("he", "she", "it", "that", "there", "what", "who", "where"),
}
_CLAUSE_BEFORE = re.compile(
    r"\b(?:what|when|where|how|who|which|whose|whom|why|than|as|whatever)\b[^.,;:!?]*$", re.IGNORECASE
)


def _may_contract(text: str, start: int, end: int, host: str, verb: str) -> bool:
    """Return whether the verb may contract with the word before it.

    It must agree with that word, more must follow, and it must not end a clause opened by a question word ("where they
    are now", "what it is about").
    """
    after = word_after(text, end)
    if host not in _AGREES[verb] or not after or _CLAUSE_BEFORE.search(text[max(0, start - 60) : start]):
        return False
    if verb == "have":
        return after in ("been", "got", "had", "seen", "done", "never", "already", "always", "just")
    if host in ("what", "who", "where"):
        return is_sentence_start(text, start) and after in closed_class("determiner", "possessive")
    if host == "that":
        return is_sentence_start(text, start)
    return after not in ("and", "or", "but")
