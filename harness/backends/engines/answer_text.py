"""What a model wrote, split into its reasoning and its answer, which ends at the first stop string."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.harness.backends.engines.reasoning import split_reasoning


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer without the reasoning before it, whether a stop string ended it, and the white space around it."""

    text: str
    reasoning: str
    stopped: bool
    margins: tuple[str, str] = ("", "")


def split_answer(written: str, stop: Sequence[str], *, hidden: Iterable[str] = (), unopened: bool = False) -> Answer:
    """Split a text into reasoning and answer, and cut the answer at the first stop string.

    Stop strings in the reasoning don't count, nor does whitespace between it and the answer.

    Args:
        written: The text.
        stop: The stop strings.
        hidden: Special tokens to remove from the answer, after it is cut.
        unopened: As in `split_reasoning`.

    >>> split_answer("<think>France?</think> Paris. Next", ["Next"], hidden=["</s>"])
    Answer(text='Paris.', reasoning='France?', stopped=True)
    """
    reasoning, text = split_reasoning(written, unopened=unopened)
    if len(text) < len(written):
        text = text.lstrip()
    cuts = [at for at in map(text.find, stop) if at >= 0]
    text = text[: min(cuts, default=None)]
    for token in hidden:
        text, reasoning = text.replace(token, ""), reasoning.replace(token, "")
    bare = text.strip()
    before = len(text) - len(text.lstrip()) if bare else 0
    return Answer(bare, reasoning.strip(), bool(cuts), (text[:before], text[before + len(bare) :]))
