"""Why an answer in one of several languages is wrong: one of four kinds, decided by rules."""

from collections.abc import Callable, Sequence

from holdfast.language.compared_words import compared_words, find_words
from holdfast.language.detection import language_of, script_of
from holdfast.language.text import count_words
from holdfast.metrics.scores.across_scripts import SHORT, accepted_languages

SCRIPT, SHIFT = "script issue", "unintended language shift"
LITERAL, TERM = "literal translation", "terminology drift"
LANGUAGE_FAILURES = (SCRIPT, SHIFT, LITERAL, TERM)
"""The kinds, in the order in which their rules are tried."""


def language_failure_kind(
    output: str, references: Sequence[str], *, language: str, forms: Sequence[str], gloss: Callable[[str], str]
) -> str:
    """Return the kind of a wrong answer. The first rule that holds decides:

    1. `script issue`: most letters are of a script that the language of the question isn't written in, or characters
       are damaged.
    2. `unintended language shift`: the answer is in another language (if it has more than three words), or is what is
       right in another language, in the same script.
    3. `literal translation`: put into English word by word, the answer is one of the forms, but it is not the term that
       is used.
    4. `terminology drift`: anything else in the right language and script: another term, name or number.

    Args:
        output: The wrong answer.
        references: The right ones, in the language of the question.
        language: That language, as `language_consistency` takes it.
        forms: What is right in the other languages.
        gloss: Puts a text into English word by word; words that it doesn't know stay.

    >>> asked = {"language": "hi", "forms": ["New Delhi"], "gloss": lambda text: text.replace("नया", "new")}
    >>> [language_failure_kind(text, ["नई दिल्ली"], **asked) for text in ("New Delhi", "मुंबई")]
    ['script issue', 'terminology drift']
    """
    accepted, found = accepted_languages(language), language_of(output)
    if "\ufffd" in output or (found and script_of(found) not in map(script_of, accepted)):
        return SCRIPT
    said = compared_words(output)
    others = [form for form in forms if form not in references]
    is_foreign = count_words(output) > SHORT and found not in accepted
    if is_foreign or any(find_words(compared_words(form), said) == 0 for form in others):
        return SHIFT
    literal = sorted(compared_words(gloss(output)))
    if said and any(literal == sorted(compared_words(gloss(form))) for form in (*references, *others)):
        return LITERAL
    return TERM
