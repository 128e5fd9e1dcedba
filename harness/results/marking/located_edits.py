"""Find the edits of a content in the prompt that a template made of it."""

from collections.abc import Sequence

from rapidfuzz.distance import Postfix, Prefix

from holdfast.perturbations.edits import Edit, Edits, Row

_TRIES = 1_000
"""Places at which the content is looked for; only texts that repeat themselves leave many."""


def located_edits(clean: str, perturbed: str, edits: Sequence[Row]) -> Edits | None:
    """Return the clean prompt with the edits that turn it into the perturbed one.

    Args:
        clean: The prompt without the perturbation.
        perturbed: The perturbed prompt.
        edits: The edits of the content, whose place in the prompt is unknown, in order.

    Returns:
        None if the edits are nowhere in the prompt, because the template changed the content or the prompt was cut.

    >>> located_edits("Q: the cat sat", "Q: the dog sat", [(4, "cat", "dog")]).edits
    (Edit(position=7, removed='cat', inserted='dog'),)
    """
    made = [Edit(*edit) for edit in edits]
    grown = sum(len(edit.inserted) - len(edit.removed) for edit in made)
    if not made or len(clean) + grown != len(perturbed):
        return Edits(clean) if clean == perturbed else None
    for offset in _offsets(clean, perturbed, made)[:_TRIES]:
        moved = tuple(Edit(edit.position + offset, edit.removed, edit.inserted) for edit in made)
        if all(clean.startswith(edit.removed, edit.position) for edit in moved):
            whole = Edits(clean, moved)
            if whole.text == perturbed:
                return whole
    return None


def _offsets(clean: str, perturbed: str, edits: Sequence[Edit]) -> range:
    """Return where the content may begin: before the first edit and after the last one, the prompts are equal."""
    same_before, same_after = Prefix.similarity(clean, perturbed), Postfix.similarity(clean, perturbed)
    first, last = edits[0].position, edits[-1].position + len(edits[-1].removed)
    return range(max(0, len(clean) - same_after - last), min(same_before - first, len(clean) - last) + 1)
