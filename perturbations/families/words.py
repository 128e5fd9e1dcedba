"""Word noise: dropped words."""

from collections.abc import Sequence
from random import Random

from holdfast.language.text import cluster_cuts, count_words, runs_together
from holdfast.perturbations.choose import choose_marked, edit_count
from holdfast.perturbations.edits import Edits, Row
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_word_edges


@perturbation("word_deletion", family="words", light=0.05, heavy=0.20, units=count_words)
def word_deletion(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Drop words, each with one of the spaces around it.

    Protected spans are never dropped, the remaining words never run together, and at least one word is kept.

    >>> word_deletion("the cat sat on the mat", 0.34, Random(3)).text
    'cat on the mat'
    """
    total, firsts, lasts = free_word_edges(text, protect)
    count = min(edit_count(strength, total), total - 1)
    if count <= 0:
        return Edits(text)
    return Edits(text, _drop(text, lasts, choose_marked(firsts, count, rng)))


def _drop(text: str, lasts: bytes, chosen: Sequence[int]) -> list[Row]:
    """Return one edit per word, with the space before it if a space or punctuation follows, else the space after it."""
    edits, done, kept, cuts = [], 0, "", cluster_cuts(text)
    for start in chosen:
        end, left = lasts.find(1, start) + 1, ""
        after = text[end : end + 1]
        kept = kept if start == done else text[start - 1]  # the last character kept
        if start > done and text[start - 1] == " " and (after in _CLOSING or after.isspace()) and start - 1 in cuts:
            start -= 1
        elif after == " " and (start == 0 or text[start - 1].isspace()) and end + 1 in cuts:
            end += 1
        elif runs_together(kept, after):
            left = " "
        edits.append((start, text[start:end], left))
        done = end
    return edits


_CLOSING = frozenset(["", " ", *".,;:!?)]}…।？！。，"])
