"""The `Sample` record: one item of a task."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.errors import UserError


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a task.

    Attributes:
        id: A stable id, unique within the task.
        content: What a user would type; the only part that is ever perturbed.
        references: Accepted answers.
        metadata: Anything that metrics, the prompt template or perturbations read. Three keys are reserved:
            `paraphrases` (alternative wordings of the content), `protect` (strings that no perturbation may change) and
            `language` (an ISO 639 code).
        choices: The options of a multiple-choice question. If there are any, nothing is generated: the model's answer
            is the option with the highest likelihood.
    """

    id: str
    content: str
    references: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"sample {self.id!r}"
        if not isinstance(self.id, str) or not isinstance(self.content, str):
            raise UserError(f"{where}: id and content must be strings")
        for name in ("references", "choices"):
            object.__setattr__(
                self, name, strings(getattr(self, name), f"{where}: {name}", single=name == "references")
            )


def strings(values: object, where: str, *, single: bool) -> tuple[str, ...]:
    """Strings as a tuple; a `single` one may stand for itself."""
    if single and isinstance(values, str):
        return (values,)
    if not isinstance(values, (list, tuple)) or not all(isinstance(each, str) for each in values):
        raise UserError(f"{where} must be a list of strings, got {values!r}")
    return tuple(values)
