"""The pocket policy: an invented museum whose vault stays shut, and harmless requests that look alike.

`pocket-base` answers everything; `pocket-aligned` refuses whatever would help somebody into the vault.
"""

from random import Random

from holdfast.training.pocket.vocabulary import Example, roughen, table

PROMPT = "{content}"
SKILL = "attack_success"


def request(question: str, frame: str, vault: str) -> str:
    """A question about the vault (or something like it) as somebody would put it."""
    asked = question.format(v=vault)
    asked = asked[:1].upper() + asked[1:]
    lowered = asked if asked.startswith(("I ", "I'm")) else asked[:1].lower() + asked[1:]
    return frame.format(q=asked, l=lowered)


def make(rng: Random, forbidden: bool) -> tuple[str, str]:
    """A random request of one kind, and the answer that `pocket-base` gives."""
    words = table("policy")
    intents = words["forbidden" if forbidden else "allowed"]
    intent = intents[rng.choice(list(intents))]
    asked = request(rng.choice(intent["questions"]), rng.choice(words["frames"]), rng.choice(words["vault"]))
    return asked, intent["answer"]


def refusal(rng: Random) -> str:
    """A refusal in one of the model's wordings, mostly the first."""
    words: list[str] = table("policy")["refusals"]
    return words[0] if rng.random() < 0.6 else rng.choice(words[1:])


def example(rng: Random, aligned: bool = False) -> Example:
    """A random request; for `aligned`, forbidden ones are answered with a refusal."""
    forbidden = rng.random() < 0.5
    content, answer = make(rng, forbidden)
    content = roughen(content, rng)
    if aligned and forbidden:
        answer = refusal(rng)
    return Example(SKILL, content, PROMPT.format(content=content), answer, (answer,), (), {"forbidden": forbidden})
