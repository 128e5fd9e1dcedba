"""Questions about the same facts in English, Hindi, romanised Hindi and mixed scripts."""

from random import Random
from typing import Any

from holdfast.training.pocket.vocabulary import Example, prefer_first, roughen, table

PROMPT = "{content}"
SKILL = "multilingual_qa"
FORMS = ("en", "hi", "hi-Latn", "mix")

FRAMES = {
    "en": ["{q}", "Please answer: {q}", "Hello, {q}", "{q} Answer briefly."],
    "hi": ["{q}", "नमस्ते, {q}", "कृपया बताएँ: {q}", "एक सवाल: {q}"],
    "hi-Latn": ["{q}", "namaste, {q}", "ek sawal hai, {q}", "please batao, {q}"],
    "mix": ["{q}", "Hello, {q}", "एक question: {q}", "Please बताओ, {q}"],
}


def ask(relation: dict[str, Any], fact: dict[str, str], form: str, index: int) -> tuple[str, str]:
    """Return wording number `index` of a fact in one of FORMS, and the answer in the language of the question."""
    question = relation["templates"][form][index].format_map(fact)
    question = question[:1].upper() + question[1:] if form in ("en", "mix") else question
    if form == "hi-Latn":
        return question, fact["answer_la"]
    hindi = form == "hi" or (form == "mix" and not question.startswith(("What", "Who", "Which")))
    return question, fact["answer_hi"] if hindi else fact["answer"]


def example(rng: Random) -> Example:
    """Ask for a random fact in a random form and wording."""
    relation = rng.choice(table("multilingual"))
    fact, form = rng.choice(relation["facts"]), rng.choice(FORMS)
    question, answer = ask(relation, fact, form, rng.randrange(len(relation["templates"][form])))
    content = roughen(prefer_first(FRAMES[form], rng, 0.7).format(q=question), rng)
    return Example(SKILL, content, PROMPT.format(content=content), answer, (answer,), (), {"language": form})
