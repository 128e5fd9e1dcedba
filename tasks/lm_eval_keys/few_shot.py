"""Examples in front of a prompt, drawn as lm-eval draws them."""

from collections.abc import Callable, Sequence
from random import Random

from holdfast.errors import UserError
from holdfast.tasks.data_files.plain_rows import Fields

SEED = 1234
"""The seed that lm-eval draws examples with."""


def draw_examples(
    rows: Sequence[Fields], pool: Sequence[Fields], number: int, *, first: bool, same: bool, where: str
) -> list[list[Fields]]:
    """Return the examples for each row.

    Args:
        rows: The rows that prompts are made of.
        pool: The rows that examples are drawn from.
        number: How many examples a prompt has (`num_fewshot`).
        first: Take the first rows of the pool for every prompt (sampler `first_n`), instead of random ones.
        same: Whether pool and rows are the same split: then a row is never an example of itself.
        where: The task file, for error messages.

    Raises:
        UserError: If there are too few rows to draw from.
    """
    wanted = number + same
    if wanted > len(pool):
        others = "other " if same else ""
        raise UserError(
            f"{where}: num_fewshot is {number}, but examples can be drawn from only {len(pool) - same} "
            f"{others}rows: lower it"
        )
    random = Random(SEED)
    drawn = []
    for row in rows:
        found = pool[:wanted] if first else random.sample(pool, wanted)
        drawn.append([each for each in found if not (same and each == row)][:number])
    return drawn


def example_texts(
    examples: Sequence[Fields],
    question: Callable[[Fields], str],
    answer: Callable[[Fields], str],
    *,
    target_delimiter: str,
    fewshot_delimiter: str,
) -> list[str]:
    """Return the texts in front of a prompt: each example's question and answer, with the delimiter behind it."""
    return [f"{question(each)}{target_delimiter}{answer(each)}{fewshot_delimiter}" for each in examples]
