"""Short questions about geography, science and history, each fact asked in many wordings."""

from functools import cache
from random import Random

from holdfast.training.pocket.vocabulary import Example, leaning, roughen, table

PROMPT = "{content}"
SKILL = "factual_qa"

FRAMES = [
    "{q}", "Question: {q}", "{q} Answer briefly.", "Please answer: {q}", "Quick question: {q}", "Hi, {l}",
    "Can you help me? {q}", "I was wondering, {l}", "{q} Please keep it short.", "For a quiz: {q}", "Hey, {l}",
]  # fmt: skip


@cache
def facts() -> list[tuple[list[str], str, str]]:
    """Every fact as its wordings, its answer and its topic, in a fixed order."""
    known = table("facts")
    made = [
        ([template.format(x=x) for template in relation["templates"]], answer, relation["topic"])
        for relation in known["relations"]
        for x, answer in relation["facts"].items()
    ]
    made += [(single["questions"], single["answer"], single["topic"]) for single in known["singles"]]
    return [([q[:1].upper() + q[1:] for q in wordings], answer, topic) for wordings, answer, topic in made]


def framed(question: str, rng: Random) -> str:
    """The question as people put it: mostly bare, at times with a greeting or a request around it."""
    lowered = question[:1].lower() + question[1:]
    return leaning(FRAMES, rng, 0.65).format(q=question, l=lowered)


def example(rng: Random) -> Example:
    """A random fact of the corpus in one of its wordings."""
    wordings, answer, topic = rng.choice(facts())
    content = roughen(framed(rng.choice(wordings), rng), rng)
    return Example(SKILL, content, PROMPT.format(content=content), answer, (answer,), (), {"topic": topic})
