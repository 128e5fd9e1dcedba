"""Word order of indirect questions: what X is, when X was born, how many X he has, whether X is Y."""

import re

from holdfast.language.english_verbs import verb_form, verb_forms
from holdfast.language.grammar import closed_class
from holdfast.perturbations.edits import Edit
from holdfast.perturbations.families.framing import Rewrite

_VERB = r"(is|are|was|were)"
_NAMED = r"((?:(?:the|an?|his|her|its|their|my|our|your|this|that)\b|[A-Z]).*?)"
_PARTICIPLE = (
    r"(born|made|known|built|found|founded|written|held|won|lost|sold|sung|given|seen|shown|worn|drawn|spoken|grown"
    r"|\w{2,}[^\We]ed)"
)
_MOVED_BEFORE_PARTICIPLE = re.compile(rf"(?i:what|where|when|how|why) {_VERB} {_NAMED} (?={_PARTICIPLE}$)")
_MOVED_BEFORE_ADJECTIVE = re.compile(
    rf"(?i:why) {_VERB} (the [a-z]+|(?:I|you|he|she|it|we|they)|[A-Z][\w'’]*(?: [A-Z][\w'’]*)*) (?=(?!not\b)[a-z]+$)"
)
_MOVED_TO_END = re.compile(rf"(?i:what|who|where) {_VERB} {_NAMED}$")
_THERE = re.compile(r"(?i:how (?:many|much)) .+? (are there|is there)\b(?= |$)")
_HAVE = re.compile(r"(?i:how (?:many|much)) .+? (do|does) .+ (have)$")
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|am|be|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)\b|n['’]t\b"
)
# A question that ends like this, or contains a subordinate clause, needs a different word order than these rules make.
_OPEN_END = re.compile(
    r" (?:of|in|on|at|for|from|to|with|by|about|as|like|called|named|into|through|after|under|over|near|there|against"
    r"|between|\w+ing)$"
)
_CLAUSE = re.compile(r"\b(?:last time|first time|when|while|if|because|after|before|who|which|that|or|whose|where)\b|,")
_PRONOUN = r"(?:I|you|he|she|it|we|they)"
_NAME = r"[A-Z][\w'’]*(?: [A-Z][\w'’]*){0,2}"
_DID = re.compile(rf"\b(do|does|did) ({_PRONOUN}|{_NAME}|the (?:\w+ )?\w+) (\w+)(?= (\w+)|$)")
# The question word is the subject, so the word order stays the same.
_SUBJECT = re.compile(
    r"(?i:who|which \w+|how many \w+|what) (?:(is|are|was|were)|(has|have|had)|(can|will|would|could|should)) (\w+)"
)


def to_statement_order(question: str) -> Rewrite | None:
    """Return the edits that give a wh-question the word order of a statement ("what X is"), or None if unsure.

    >>> from holdfast.perturbations import Edits
    >>> texts = ["Where is the Nile", "When did the war end", "How much does he earn", "Who can fly", "How is it"]
    >>> [Edits(text, edits).text for text in texts if (edits := to_statement_order(text)) is not None]
    ['Where the Nile is', 'When the war ended', 'How much he earns', 'Who can fly']
    """
    if match := _THERE.match(question):
        verb, there = match[1].split()
        return (Edit(match.start(1), match[1], f"{there} {verb}"),)
    if match := _HAVE.match(question):
        drop = Edit(match.start(1), match[1] + " ", "")
        third = (Edit(match.start(2), "have", "has"),) if match[1] == "does" else ()
        return (drop, *third)
    auxiliaries = _AUXILIARY.findall(question)
    if not auxiliaries:
        return () if re.match(r"(?i:who|which|what|how many)\b", question) else None
    if len(auxiliaries) > 1:
        return None
    if _is_subject_question(question):
        return ()
    if supported := _without_do(question):
        return supported
    for rule in (_MOVED_BEFORE_PARTICIPLE, _MOVED_BEFORE_ADJECTIVE, _MOVED_TO_END):
        match = rule.match(question)
        if match and not _CLAUSE.search(match[2]):
            if rule is _MOVED_TO_END and (_OPEN_END.search(question) or len(match[2].split()) > 10):
                return None
            drop = Edit(match.start(1), match[1] + " ", "")
            moved = f" {match[1]}" if rule is _MOVED_TO_END else f"{match[1]} "
            return (drop, Edit(match.end(), "", moved))
    return None


def _is_subject_question(question: str) -> bool:
    match = _SUBJECT.match(question)
    if not match:
        return False
    be, have, _, following = match.groups()
    if be:
        after_how_many = question[:3].lower() == "how" and following in closed_class("preposition")
        return after_how_many or (question[:4].lower() != "what" and following in verb_forms()["participle"])
    return following in verb_forms()["participle" if have else "base"]


def _without_do(question: str) -> Rewrite:
    """Turn "when did the war end" into "when the war ended"; () if unsure."""
    match = _DID.search(question)
    if not match or _CLAUSE.search(question[: match.end(2)]):
        return ()
    auxiliary, subject, verb, following = match.groups()
    if subject[:4] == "the " and following and following not in closed_class():
        return ()
    slot = {"do": "base", "does": "third", "did": "past"}[auxiliary]
    form = verb_form(verb, slot) if following not in ("to", "have") else ""
    if not form:
        return ()
    drop = Edit(match.start(1), auxiliary + " ", "")
    return _inflect(question, match, 3, slot, drop)


_SECOND_VERB = re.compile(r"(?<= and )\w+|(?<= or )\w+|(?<= then )\w+")


def _inflect(question: str, match: re.Match[str], group: int, slot: str, drop: Edit) -> Rewrite:
    """Return `drop` plus edits that inflect the verb and one coordinated with it ("plan and execute"); () if unsure."""
    verb, end = match[group], match.end(group)
    edits = [drop, Edit(match.start(group), verb, verb_form(verb, slot))]
    for second in _SECOND_VERB.finditer(question, end):
        if not verb_form(second[0], slot) or slot == "base":
            continue
        if second.start() > end + len(" and "):
            return ()
        edits.append(Edit(second.start(), second[0], verb_form(second[0], slot)))
    if slot != "base" and len(edits) == 2 and re.match(r" (?:and|or) ", question[end:]):
        return ()
    return tuple(edit for edit in edits if edit.removed != edit.inserted)


_YES_NO = re.compile(
    rf"(Is|Are|Was|Were|Can|Could|Will|Would|Should|Has|Have|Did|Does|Do) ({_PRONOUN}|there|{_NAME}) ([a-z]\w*)"
)


def to_indirect_yes_no(question: str) -> Rewrite:
    """Turn "Is X Y?" into "X is Y" (after "whether"), for pronouns and names; () if no rule is sure to fit.

    >>> from holdfast.perturbations import Edits
    >>> [Edits(text, to_indirect_yes_no(text)).text for text in ("Is Rome old", "Did she win the cup")]
    ['Rome is old', 'she won the cup']
    """
    match = _YES_NO.match(question)
    if not match or match[3] in ("and", "or", "of") or match[2].endswith(("'s", "’s")):
        return ()
    auxiliary, verb = match[1].lower(), match[3]
    drop = Edit(match.start(1), match[1] + " ", "")
    if auxiliary in closed_class("do"):
        slot = {"do": "base", "does": "third", "did": "past"}[auxiliary]
        return _inflect(question, match, 3, slot, drop) if verb_form(verb, slot) else ()
    return (drop, Edit(match.end(2), "", f" {auxiliary}"))


_YEAR_LAST = re.compile(r"(\s*)((\w)[^,?.!\n]*) (in|since|before|after|during) (\d{4})(\??)\s*")
_YEAR_FIRST = re.compile(r"(\s*)((I|S|B|A|D)(?:n|ince|efore|fter|uring)) (\d{4}), ([^?.!\n]*)(\?)\s*")


def move_year(question: str) -> list[Rewrite]:
    """Turn "Who won X in 1990?" into "In 1990, who won X?" and vice versa; the year itself is not edited.

    >>> from holdfast.perturbations import Edits
    >>> [Edits(text, move_year(text)[0]).text for text in ("Who won in 1990?", "In 1990, who won?")]
    ['In 1990, who won?', 'Who won in 1990?']
    """
    if (match := _YEAR_LAST.fullmatch(question)) and len(re.findall(r"\d", question)) == 4:
        rest = match[3].lower() + match[2][1:]
        place = match[4].capitalize() if match[3].isupper() else match[4]
        first = Edit(match.start(2), f"{match[2]} {match[4]}", place)
        return [(first, Edit(match.end(5), "", f", {rest}"))] if re.match(_WH_WORD, rest) else []
    if (match := _YEAR_FIRST.fullmatch(question)) and re.match(_WH_WORD, match[5]):
        first = Edit(match.start(2), match[2], f"{match[5][0].upper()}{match[5][1:]} {match[2].lower()}")
        return [(first, Edit(match.end(4), f", {match[5]}", ""))]
    return []


_WH_WORD = r"(?:what|who|which|when|where|why|how)\b"
