"""Synonyms: words replaced with others of the same meaning and form."""

from collections.abc import Sequence
from random import Random

from holdfast.language.hinglish import is_mixed
from holdfast.language.text import count_words
from holdfast.language.thesaurus import alternatives, synonym_table, uses_wordnet
from holdfast.perturbations.choose import edit_count, replace_where
from holdfast.perturbations.edits import Edits
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_words


@perturbation("synonyms", family="words", light=0.10, heavy=0.30, units=count_words)
def synonyms(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Replace words with synonyms from a built-in table and from WordNet.

    The table covers common English, Hindi and Hinglish words. The form is kept (plural, tense, capitals) and so is the
    meaning: words are replaced only in one sense, and names and verbs before a particle ("look for") are kept.
    `holdfast.language.thesaurus.source()` returns the source used on this machine.

    >>> synonyms("He chose the big car and two gifts.", 0.5, Random(1)).text
    'He selected the large automobile and two presents.'
    """
    total, spans = free_words(text, protect)
    table, further, mixed = synonym_table(), uses_wordnet(), is_mixed(text)

    def synonym(start: int, end: int) -> str:
        others = alternatives(text, start, end, further=further, mixed=mixed)
        return rng.choice(others) if others else ""

    if not further:
        spans = [(i, j) for i, j in spans if (word := text[i:j].lower()) in table or not word.isascii()]
    return replace_where(text, spans, edit_count(strength, total), rng, synonym)
