"""Count what became of a task's answers, and say what a user should know of it."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from holdfast.harness.backends import Generation
from holdfast.harness.plan.references import missing_references
from holdfast.tasks import Task

MANY = 0.2
"""A task is reported if a larger share of its answers was cut at the token limit, or is empty."""

_SHOWN = 5
"""Number of truncated samples to name."""


@dataclass(slots=True)
class Tally:
    """Counts of a task's answers."""

    answers: int = 0
    cut: int = 0
    """Cut at the token limit."""
    empty: int = 0
    filtered: int = 0
    """Withheld by a server's content filter."""
    truncated: Counter[str] = field(default_factory=Counter)
    """Truncated prompts, by sample."""
    scored: set[str] = field(default_factory=set)
    """The scores that answers have."""

    def add(self, sample: str, answer: Generation, scores: Collection[str]) -> None:
        """Count one answer."""
        self.answers += 1
        self.cut += answer.finish == "length"
        self.empty += not answer.output
        self.filtered += answer.finish == "filtered"
        self.scored.update(scores)
        if answer.truncated:
            self.truncated[sample] += 1


def remarks(task: Task, tally: Tally, max_new_tokens: int, context: int | None) -> Iterator[str]:
    """Yield warnings about a task's answers, one line each.

    Args:
        task: The task.
        tally: Its counts.
        max_new_tokens: The limit for its answers, in tokens.
        context: The length of the model's context, in tokens, if known.
    """
    if message := missing_references(task, tally.scored):
        yield message
    if tally.truncated:
        shown = ", ".join(sorted(tally.truncated)[:_SHOWN]) + (", ..." if len(tally.truncated) > _SHOWN else "")
        length = f" of {context} tokens" if context else ""
        yield (
            f"task '{task.name}': {tally.truncated.total()} prompts ({shown}) didn't fit into the model's "
            f"context{length} and were truncated: the beginning of their content was cut (the end, for a seq2seq model)"
        )
    if tally.filtered:
        yield (
            f"task '{task.name}': the server's content filter withheld {tally.filtered} answers or cut them off; they "
            "are scored as they arrived, most of them empty (finish is 'filtered' in samples.jsonl)"
        )
    answers = max(1, tally.answers)
    if tally.empty / answers > MANY:
        yield (
            f"task '{task.name}': {tally.empty / answers:.0%} of the answers are empty, so they agree without saying "
            "anything; see finish and reasoning in samples.jsonl, and the task's stop strings"
        )
    if tally.cut / answers > MANY:
        yield (
            f"task '{task.name}': {tally.cut / answers:.0%} of the answers were cut at the limit of {max_new_tokens} "
            "tokens; raise it with --gen_kwargs max_new_tokens=N"
        )
