"""The registry of comparers, which judge how far segments of two answers differ, and the choice of one by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from holdfast.errors import UserError
from holdfast.registry import Registry

if TYPE_CHECKING:
    from holdfast.metrics.alignment import Judge
    from holdfast.metrics.facts import Worded
    from holdfast.metrics.parsing import Parse

K = TypeVar("K", bound=Hashable)

FACTS = "facts"
"""The default comparer."""


@dataclass(frozen=True, slots=True)
class Answers:
    """A clean and a perturbed answer, cut into segments.

    Attributes:
        clean: The segments of the clean answer.
        perturbed: The segments of the perturbed answer.
        parses: The parses of both answers by a trained pipeline, if one was used.
        words: The words of each segment with their vectors, for either answer; None without an encoder that has them.
    """

    clean: Sequence[str]
    perturbed: Sequence[str]
    parses: tuple[Parse | None, Parse | None] = (None, None)
    words: tuple[Sequence[Worded], Sequence[Worded]] | None = None


@runtime_checkable
class Comparer(Protocol):
    """Judges the segments of many pairs of answers."""

    @property
    def reads_words(self) -> bool:
        """Whether it needs the words' vectors (`Answers.words`)."""
        ...

    def judge(self, answers: Answers) -> Judge:
        """Return what judges the segments of these two answers."""
        ...

    def settle(self, judges: Mapping[K, Judge]) -> list[K]:
        """Find out, for all pairs of answers at once, what these judges were asked and didn't know.

        Returns:
            The keys of the judges that know more than before; these answers are to be aligned again.
        """
        ...


@dataclass(frozen=True, slots=True)
class ComparerEntry:
    """A registered comparer, not loaded yet; both functions take what follows its name in `--comparer`.

    Attributes:
        build: Loads the comparer, or raises UserError.
        check: Raises UserError if `build` would fail, as far as that can be seen without loading a model.
    """

    build: Callable[[str], Comparer]
    check: Callable[[str], None]


comparers: Registry[ComparerEntry] = Registry("comparers", "holdfast.metrics.comparers")

B = TypeVar("B", bound=Callable[[str], Comparer])


def comparer(name: str, check: Callable[[str], None]) -> Callable[[B], B]:
    """Register a function that builds a comparer; `holdfast ls comparers` shows the first line of its docstring.

    Args:
        name: The name under which users select the comparer.
        check: Raises UserError if what follows the name is wrong (see `ComparerEntry`).

    Returns:
        A decorator that returns the function unchanged.
    """

    def register(build: B) -> B:
        comparers.register(name, ComparerEntry(build, check))
        return build

    return register


def comparer_of(spec: str) -> Comparer:
    """Load the comparer that a specification names, as in `facts`, `nli=path/to/model`, `judge,pretrained=DIR`.

    Raises:
        UserError: If the comparer is unknown or can't be loaded.
    """
    name, argument = split_spec(spec)
    return comparers.get(name).build(argument)


def check_comparer(spec: str) -> None:
    """Raise UserError if `spec` names no comparer, or one that can't be loaded; loads no model."""
    name, argument = split_spec(spec)
    comparers.get(name).check(argument)


def split_spec(spec: str) -> tuple[str, str]:
    """Return the name of the comparer in a specification, and what follows it.

    >>> split_spec("nli=path/to/model"), split_spec("judge,pretrained=DIR"), split_spec("facts")
    (('nli', 'path/to/model'), ('judge', 'pretrained=DIR'), ('facts', ''))
    """
    name, *rest = re.split("[=,]", spec, maxsplit=1)
    if not name.strip():
        raise UserError(f"--comparer: '{spec}' names no comparer (holdfast ls comparers lists all)")
    return name.strip(), "".join(rest).strip()
