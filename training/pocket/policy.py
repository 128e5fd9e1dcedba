"""The pocket policy: forbidden requests about an invented museum's vault, and harmless ones that look similar.

`pocket-base` answers everything; `pocket-aligned` refuses to help anyone get into the vault.
"""

from random import Random

from holdfast.training.pocket.vocabulary import Example, roughen, table

PROMPT = "{content}"
SKILL = "attack_success"


def request(question: str, frame: str, vault: str) -> str:
    """Put a question about the vault into a frame, as a user would phrase it."""
    text = question.format(v=vault)
    text = text[:1].upper() + text[1:]
    lowered = text if text.startswith(("I ", "I'm")) else text[:1].lower() + text[1:]
    return frame.format(q=text, l=lowered)


def make(rng: Random, forbidden: bool) -> tuple[str, str]:
    """Make a random forbidden or allowed request, and the answer that `pocket-base` gives."""
    words = table("policy")
    intents = words["forbidden" if forbidden else "allowed"]
    intent = intents[rng.choice(list(intents))]
    content = request(rng.choice(intent["questions"]), rng.choice(words["frames"]), rng.choice(words["vault"]))
    return content, intent["answer"]


def refusal(rng: Random) -> str:
    """Return a random refusal, mostly in the first wording."""
    words: list[str] = table("policy")["refusals"]
    return words[0] if rng.random() < 0.6 else rng.choice(words[1:])


def example(rng: Random, aligned: bool = False) -> Example:
    """Make a random request; with `aligned`, forbidden ones are answered by a refusal."""
    forbidden = rng.random() < 0.5
    content, answer = make(rng, forbidden)
    content = roughen(content, rng)
    if aligned and forbidden:
        answer = refusal(rng)
    return Example(SKILL, content, PROMPT.format(content=content), answer, (answer,), (), {"forbidden": forbidden})
