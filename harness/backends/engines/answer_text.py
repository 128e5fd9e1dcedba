"""What a model wrote, cut into its reasoning and its answer, which ends at the first stop string."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

THINKING = ("<think>", "</think>", "<thinking>", "</thinking>")
"""The tags around what a model thinks aloud."""

_BLOCK = re.compile(r"<(think|thinking)>(.*?)</\1>", re.DOTALL)
_BEGUN_BEFORE = re.compile(r"\A(.*)</(?:think|thinking)>", re.DOTALL)
_NEVER_ENDED = re.compile(r"<(?:think|thinking)>(.*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer without the reasoning before it, and whether a stop string ended it."""

    text: str
    reasoning: str
    stopped: bool


def split_answer(written: str, stop: Sequence[str], *, hidden: Iterable[str] = ()) -> Answer:
    """Split a text into reasoning and answer, and cut the answer at the first stop string.

    Stop strings in the reasoning don't count.

    Args:
        written: The text.
        stop: The stop strings.
        hidden: Special tokens to remove from the answer, after it is cut.

    >>> split_answer("<think>France?</think> Paris. Next", ["Next"], hidden=["</s>"])
    Answer(text='Paris.', reasoning='France?', stopped=True)
    """
    reasoning, text = _split_reasoning(written)
    cuts = [at for at in map(text.find, stop) if at >= 0]
    text = text[: min(cuts, default=None)]
    for token in hidden:
        text, reasoning = text.replace(token, ""), reasoning.replace(token, "")
    return Answer(text.strip(), reasoning.strip(), bool(cuts))


def _split_reasoning(written: str) -> tuple[str, str]:
    """Return (reasoning, rest); a block may have begun in the prompt, or be cut at the token limit."""
    thoughts = [block[2] for block in _BLOCK.finditer(written)]
    rest = _BLOCK.sub("", written)
    if begun := _BEGUN_BEFORE.search(rest):
        thoughts.insert(0, begun[1])
        rest = rest[begun.end() :]
    if open_block := _NEVER_ENDED.search(rest):
        thoughts.append(open_block[1])
        rest = rest[: open_block.start()]
    return "\n\n".join(thoughts), rest.lstrip() if thoughts else rest
