"""What a model thinks aloud before it answers, recognised by the marks that models put around it."""

import re

_TAGS = ("think", "thinking", "thought", "reasoning", "seed:think")

_MARKS = {
    **{f"<{tag}>": f"</{tag}>" for tag in _TAGS},
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|channel|>analysis<|message|>": "<|end|>",
    "<|channel|>commentary<|message|>": "<|end|>",
}
"""The marks that open reasoning, and those that close it."""

_HEADERS = ("<|start|>assistant", "<|channel|>final<|message|>")
"""What gpt-oss writes between its reasoning and its answer."""

MARK_TOKENS = frozenset(_MARKS) | (frozenset(_MARKS.values()) - {"<|end|>"}) | {"<|channel|>"}
"""What tokenizers may have as a special token that marks reasoning."""

_BLOCK = re.compile(
    r"\s*(?:"
    + "|".join(f"{re.escape(opening)}(.*?)(?:{re.escape(closing)}|\\Z)" for opening, closing in _MARKS.items())
    + "|"
    + "|".join(map(re.escape, _HEADERS))
    + ")",
    re.DOTALL | re.IGNORECASE,
)
_CLOSING = "|".join(map(re.escape, sorted(MARK_TOKENS.intersection(_MARKS.values()))))
_OPENED_BEFORE = re.compile(
    rf"(.*?)(?:^[ \t]*(?:{_CLOSING})|(?:{_CLOSING})[ \t]*$)(?=.*\S)", re.DOTALL | re.IGNORECASE | re.MULTILINE
)
_OPENING = re.compile("|".join(map(re.escape, _MARKS)), re.IGNORECASE)


def split_reasoning(written: str, *, unopened: bool = False) -> tuple[str, str]:
    """Split a text into reasoning and answer.

    Reasoning is what stands between marks at the beginning of the text; it may be cut at the token limit. Marks within
    an answer belong to the answer.

    Args:
        written: The text.
        unopened: Whether the prompt may have opened the reasoning, so that a text may have its closing mark alone.

    >>> split_reasoning("<think>France?</think>Paris.")
    ('France?', 'Paris.')
    >>> split_reasoning("Write <think> first, then </think>.")
    ('', 'Write <think> first, then </think>.')
    """
    thoughts: list[str] = []
    rest = written
    if unopened and (before := _OPENED_BEFORE.match(written)) and not _OPENING.search(before[1]):
        thoughts.append(before[1])
        rest = written[before.end() :]
    while block := _BLOCK.match(rest):
        thoughts += [thought for thought in block.groups() if thought]
        rest = rest[block.end() :]
    return "\n\n".join(thoughts), rest


def opened_reasoning(prompt: str) -> str:
    """Return the mark that a rendered prompt ends with, if it opens the model's reasoning; otherwise nothing.

    >>> opened_reasoning("<|assistant|><think>\\n")
    '<think>'
    """
    end = prompt.rstrip()
    return next((opening for opening in _MARKS if end.endswith(opening)), "")
