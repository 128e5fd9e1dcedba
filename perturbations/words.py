"""Word noise: words lost, and words said otherwise."""

from collections.abc import Sequence
from random import Random

from holdfast.perturbations.choose import choose, choose_where, edit_count
from holdfast.perturbations.protected import free_words
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.text import Span, cluster_cuts, count_words
from holdfast.perturbations.thesaurus import alternatives
from holdfast.perturbations.types import Edit, Edits


@perturbation("word_deletion", family="words", light=0.05, heavy=0.20, units=count_words)
def word_deletion(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Drop words, as a hurried writer does, each with one of the spaces around it.

    Protected spans are never dropped, nothing is glued together, and at least one word is kept.

    >>> word_deletion("the cat sat on the mat", 0.34, Random(7)).text
    'the on the mat'
    """
    total, places = free_words(text, protect)
    count = min(edit_count(strength, total), total - 1)
    return Edits(text, tuple(_drop(text, choose(places, count, rng))) if count > 0 else ())


def _drop(text: str, spans: Sequence[Span]) -> list[Edit]:
    """One edit per word: with the space before it where a space or a mark follows, else with the one after it."""
    edits, done, cuts = [], 0, cluster_cuts(text)
    for start, end in spans:
        before, after = text[max(done, start - 1) : start], text[end : end + 1]
        closes = after == "" or after.isspace() or after in ".,;:!?)]}…।？！。，"
        if before == " " and closes and start - 1 in cuts:
            start -= 1
        elif after == " " and (start == 0 or text[start - 1].isspace()) and end + 1 in cuts:
            end += 1
        edits.append(Edit(start, text[start:end], ""))
        done = end
    return edits


@perturbation("synonyms", family="words", light=0.10, heavy=0.30, units=count_words)
def synonyms(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Say words otherwise, from a table of our own for common English, Hindi and Hinglish words.

    The form is kept (a plural stays a plural, a past tense a past tense, a capital a capital), and so is
    the meaning: the table lists words of one sense only, names stay, and so does a verb before a particle
    ("look for").

    >>> synonyms("He chose the big car and two gifts.", 0.5, Random(1)).text
    'He selected the large automobile and two presents.'
    """
    total, spans = free_words(text, protect)
    chosen = choose_where(
        len(spans), edit_count(strength, total), rng, lambda index: bool(alternatives(text, spans, index))
    )
    return Edits(text, tuple([_replace(text, spans, index, rng) for index in chosen]))


def _replace(text: str, spans: Sequence[Span], index: int, rng: Random) -> Edit:
    start, end = spans[index]
    return Edit(start, text[start:end], rng.choice(alternatives(text, spans, index)))
