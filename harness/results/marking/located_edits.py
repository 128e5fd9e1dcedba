"""Find the edits of a content in the prompt that a template made of it."""

from collections.abc import Sequence

from rapidfuzz.distance import Postfix, Prefix

from holdfast.harness.store.lines import Line
from holdfast.perturbations import Edit, Edits


def located_edits(clean_prompt: str, perturbed: Line) -> Edits | None:
    """Return the clean prompt with the edits that turn it into the perturbed one.

    Args:
        clean_prompt: The prompt without the perturbation.
        perturbed: The answer to the perturbed prompt; its edits are placed within the content, whose place in the
            prompt is not recorded.

    Returns:
        None if the edits are nowhere in the prompt, because the template changed the content or the prompt was cut.

    >>> line = {"prompt": "Q: the dog sat", "edits": [[4, "cat", "dog"]]}
    >>> located_edits("Q: the cat sat", line).edits
    (Edit(position=7, removed='cat', inserted='dog'),)
    """
    edits = [Edit(*edit) for edit in perturbed["edits"]]
    if not edits:
        return Edits(clean_prompt) if clean_prompt == perturbed["prompt"] else None
    for offset in _offsets(clean_prompt, perturbed["prompt"], edits):
        moved = tuple(Edit(edit.position + offset, edit.removed, edit.inserted) for edit in edits)
        if all(clean_prompt.startswith(edit.removed, edit.position) for edit in moved):
            whole = Edits(clean_prompt, moved)
            if whole.text == perturbed["prompt"]:
                return whole
    return None


def _offsets(clean: str, perturbed: str, edits: Sequence[Edit]) -> range:
    """Return where the content may begin: before the first edit and after the last one, the prompts are equal."""
    same_before = Prefix.similarity(clean, perturbed)
    same_after = Postfix.similarity(clean, perturbed)
    first, last = edits[0].position, edits[-1].position + len(edits[-1].removed)
    return range(max(0, len(clean) - same_after - last), min(same_before - first, len(clean) - last) + 1)
