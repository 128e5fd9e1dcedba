"""Short questions about geography, science and history, with many wordings for each fact."""

from functools import cache
from random import Random

from holdfast.training.pocket.vocabulary import Example, prefer_first, roughen, table

PROMPT = "{content}"
SKILL = "factual_qa"

FRAMES = [
    "{q}", "Question: {q}", "{q} Answer briefly.", "Please answer: {q}", "Quick question: {q}", "Hi, {l}",
    "Can you help me? {q}", "I was wondering, {l}", "{q} Please keep it short.", "For a quiz: {q}", "Hey, {l}",
]  # fmt: skip


@cache
def facts() -> list[tuple[list[str], str, str]]:
    """Return the wordings, the answer and the topic of every fact, in a fixed order."""
    known = table("facts")
    made = [
        ([template.format(x=x) for template in relation["templates"]], answer, relation["topic"])
        for relation in known["relations"]
        for x, answer in relation["facts"].items()
    ]
    made += [(single["questions"], single["answer"], single["topic"]) for single in known["singles"]]
    return [([q[:1].upper() + q[1:] for q in wordings], answer, topic) for wordings, answer, topic in made]


def frame(question: str, rng: Random) -> str:
    """Put the question into a random frame: mostly none, sometimes a greeting or a request."""
    lowered = question[:1].lower() + question[1:]
    return prefer_first(FRAMES, rng, 0.65).format(q=question, l=lowered)


def example(rng: Random) -> Example:
    """Ask for a random fact in one of its wordings."""
    wordings, answer, topic = rng.choice(facts())
    content = roughen(frame(rng.choice(wordings), rng), rng)
    return Example(SKILL, content, PROMPT.format(content=content), answer, (answer,), (), {"topic": topic})
