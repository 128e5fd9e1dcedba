"""The `Sample` record: one item of a task."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.errors import UserError

GROUP, ITEM = "group", "item"
"""The metadata that say which group a sample is in, and of which item it is one form."""

PAIR = "text_pair"
"""The metadata with the second text of a task that compares two, such as a premise and a hypothesis."""

EXAMPLES = "fewshot_examples"
"""The metadata with the examples in front of a prompt, each with what separates it from the next."""

ALL = "all"
"""What tables call all samples of a task, whatever their group."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a task.

    Attributes:
        id: A stable id, unique within the task.
        content: What a user would type; the only part that is ever perturbed.
        references: Accepted answers.
        metadata: Anything that metrics, the prompt template or perturbations read. Six keys are reserved:
            `paraphrases` (alternative wordings of the content), `protect` (strings that no perturbation may change),
            `language` (an ISO 639 code), `group` (see `groups`), `item` (see `item`) and `text_pair` (see `pair`).
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
        object.__setattr__(self, "references", strings(self.references, f"{where}: references", single=True))
        object.__setattr__(self, "choices", strings(self.choices, f"{where}: choices", single=False))
        if GROUP in self.metadata:
            parse_groups(self.metadata[GROUP], where)
        if not isinstance(self.metadata.get(ITEM, ""), (str, int)):
            raise UserError(f"{where}: '{ITEM}' must be a string or an integer, got {self.metadata[ITEM]!r}")

    @property
    def groups(self) -> Mapping[str, str]:
        """The groups that have rows of their own in tables: their names by grouping.

        `metadata["group"]` is a text, whose grouping is called `group`, or an object such as
        `{"language": "hi", "topic": "physics"}`.
        """
        return parse_groups(self.metadata.get(GROUP), f"sample {self.id!r}")

    @property
    def item(self) -> str:
        """What the sample is one form of, such as a question that the task has in several languages; "" for nothing.

        Forms of one item are compared with each other, and count as one sample where samples must be independent.
        """
        return str(self.metadata.get(ITEM, ""))

    @property
    def pair(self) -> str:
        """The second text of a task that compares two, which a sequence classifier reads beside the content; or ""."""
        return str(self.metadata.get(PAIR) or "")


def strings(values: object, where: str, *, single: bool) -> tuple[str, ...]:
    """Strings as a tuple; a `single` one may stand for itself."""
    if single and isinstance(values, str):
        return (values,)
    if type(values) is tuple and {*map(type, values)} <= {str}:  # the usual case, a hundred thousand times
        return values
    if not isinstance(values, (list, tuple)) or not all(isinstance(each, str) for each in values):
        raise UserError(f"{where} must be a list of strings, got {values!r}")
    return tuple(values)


def parse_groups(value: Any, where: str) -> Mapping[str, str]:
    """Return groups given as text, or as an object of several: the name of each group by its grouping.

    Args:
        value: The value of the field `group`; null and "" are no group.
        where: The sample, for error messages.

    Raises:
        UserError: If it is something else, or a plain group is called like all samples together.
    """
    if value is None or value == "":
        return {}
    if type(value) is str and value != ALL:
        return {GROUP: value}
    usual = type(value) is dict and {*map(type, value), *map(type, value.values())} <= {str}
    if usual and value.get(GROUP) != ALL and "" not in value and "" not in value.values():
        return dict(value)  # a hundred thousand times
    found: dict[str, str] = {}
    for grouping, name in value.items() if isinstance(value, Mapping) else [(GROUP, value)]:
        if name is None or name == "":
            continue
        if not isinstance(name, (str, int, float)) or not isinstance(grouping, str) or not grouping:
            raise UserError(
                f"{where}: '{GROUP}' must be a string, or an object for several groupings, as in "
                f'{{"language": "hi", "topic": "physics"}}, got {value!r}'
            )
        found[grouping] = str(name).lower() if isinstance(name, bool) else str(name)
    if found.get(GROUP) == ALL:
        raise UserError(f"{where}: a group can't be called '{ALL}', which means every sample: rename it")
    return found
