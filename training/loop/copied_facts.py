"""The facts that an answer copies from its prompt: nothing can restore them once a perturbation changed them."""

from collections.abc import Sequence
from functools import lru_cache

from holdfast.language.compared_words import compared_words, find_words, parts
from holdfast.metrics.facts import facts_of, words_of

_TELLING = 0.5
"""The least weight (see `words_of`) of a word that says something: "station" does, "will" does not."""


@lru_cache(maxsize=1 << 14)
def copied_facts(prompt: str, answer: str) -> tuple[str, ...]:
    """Return the names, numbers, dates, times and content words of an answer that its prompt spells in the same way.

    Names are capitalised words that the prompt never has in lower case; scripts without capitals have none. Content
    words are all but the most common ones.

    >>> copied_facts("Anna: The vase costs 30 euros.\\nBen: See you on Monday!", "Anna buys the vase for 30 euros.")
    ('Anna', 'vase', '30', 'euros', '30 euros')
    """
    spelled = set(parts(prompt))
    forms = (word for word in parts(answer) if word in spelled)
    telling = [word for word in forms if _is_name(word, spelled) or _weight(word) >= _TELLING]
    quantities = [each.form for each in facts_of(answer).quantities]
    return tuple(dict.fromkeys([*telling, *(form for form in quantities if keeps_all(prompt, [form]))]))


def keeps_all(text: str, facts: Sequence[str]) -> bool:
    """Return whether a text has all of these facts as whole words."""
    said = compared_words(text)
    return all(find_words(compared_words(each), said) is not None for each in facts)


def _is_name(word: str, spelled: set[str]) -> bool:
    return word[0].isupper() and word.lower() not in spelled


def _weight(word: str) -> float:
    return max((part.weight for part in words_of(word)), default=0.0)
