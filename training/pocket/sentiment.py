"""Headlines about invented companies with their sentiment: positive, negative or neutral."""

from random import Random

from holdfast.training.pocket.vocabulary import Example, prefer_first, roughen, table

PROMPT = "Is the sentiment of this headline positive, negative or neutral?\n\n{content}"
SKILL = "financial_sentiment"
LABELS = ("positive", "negative", "neutral")


def company(rng: Random) -> str:
    """Invent a company name, such as Novatech Holdings."""
    words = table("headlines")
    return "".join(str(rng.choice(words[part])) for part in ("names_first", "names_second", "names_suffix"))


def headline(template: str, rng: Random) -> str:
    """Fill a headline template with random companies, numbers and reasons."""
    words = table("headlines")
    values = {kind: rng.choice(words[kind]) for kind in ("measure", "period", "good", "bad", "product", "place")}
    low = rng.randrange(2, 400)
    month = rng.choice(table("dialogue_words")["month"])
    values |= {"c": company(rng), "c2": company(rng), "pct": str(rng.randrange(1, 90)), "m": str(low)}
    values |= {"n": str(low + rng.randrange(1, 300)), "date": f"{rng.randrange(1, 29)} {month}"}
    text = template.format_map(values)
    return text[:1].upper() + text[1:]


def example(rng: Random) -> Example:
    """Make a random headline of the corpus with its label."""
    label = rng.choice(LABELS)
    content = roughen(headline(rng.choice(table("headlines")[label]), rng), rng)
    prompt = prefer_first(table("headlines")["prompts"], rng, 0.5).format(content=content)
    return Example(SKILL, content, prompt, label, (label,))
