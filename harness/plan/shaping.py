"""The prompts of perturbations that leave the content as it is, and change the prompt around it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from rapidfuzz.distance import Levenshtein

from holdfast.errors import UserError
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.perturbations import Edit, Variant, parts_of, seed_for
from holdfast.perturbations.shapes.option_order import LETTERINGS, find_options, reordered
from holdfast.perturbations.shapes.orders import other_orders
from holdfast.perturbations.shapes.prompt_format import Format, formats, reformatted, shared_descriptors
from holdfast.tasks import Sample, Task
from holdfast.tasks.sample import EXAMPLES

_CONTENT = "\ue000"
"""Stands for the content in a frame: a character that no prompt has."""

_COMPARED = 16
"""Number of samples whose frames show which descriptors are the template's."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A prompt in another shape, and what its answers stand for.

    Attributes:
        prompt: The prompt.
        choices: The choices that are ranked.
        letters: The clean letter of each letter in the prompt, if options are lettered anew.
    """

    prompt: str
    choices: tuple[str, ...]
    letters: Mapping[str, str] = field(default_factory=dict)

    def clean_answer(self, output: str) -> str:
        """Return an answer with the letter that the option has in the clean prompt."""
        if not self.letters:
            return output
        if output in self.letters:
            return self.letters[output]
        letters = "|".join(map(re.escape, self.letters))
        return re.sub(rf"(?<!\w)({letters})(?!\w)", lambda match: self.letters[match[1]], output, count=1)

    def clean_likelihoods(self, likelihoods: Sequence[float], choices: Sequence[str]) -> tuple[float, ...]:
        """Return likelihoods of `self.choices` in the order of the clean `choices`."""
        by_name = {self.letters.get(name, name): value for name, value in zip(self.choices, likelihoods, strict=True)}
        return tuple(by_name[choice] for choice in choices)


@dataclass(frozen=True)
class Shaper:
    """Makes the shapes of a task's prompts; each is the same in every process and for every adapter."""

    task: Task
    seed: int

    def shape(self, sample: Sample, name: str, severity: str) -> Shape:
        """Return a sample's prompt in one shape.

        Args:
            sample: The sample.
            name: The perturbation.
            severity: The number of the shape, as in #3.

        Raises:
            UserError: If the prompt has nothing of the kind, or there are fewer shapes.
        """
        number = int(severity.removeprefix("#"))
        if name == "format":
            return Shape(self._formatted(sample, number), sample.choices)
        if name == "options":
            return self._options(sample, number)
        return Shape(self._examples(sample, number), sample.choices)

    def variant(self, sample: Sample, name: str, severity: str) -> Variant:
        """Return a shape as a variant: the content stays, and the edits are those of the clean prompt."""
        clean, shaped = self.task.render(sample, sample.content), self.shape(sample, name, severity).prompt
        edits = tuple(
            Edit(step.src_start, clean[step.src_start : step.src_end], shaped[step.dest_start : step.dest_end])
            for step in Levenshtein.opcodes(clean, shaped)
            if step.tag != "equal"
        )
        rate = Levenshtein.normalized_distance(clean, shaped)
        return Variant(sample.content, name, severity, 0, edits, rate)

    @cached_property
    def _descriptors(self) -> frozenset[str]:
        found = shared_descriptors([self._frame(sample) for sample in self.task.samples[:_COMPARED]])
        if not found:
            raise UserError(
                f"format: the prompt of task '{self.task.name}' has no fields with names, such as 'Question:' at the "
                "beginning of a line: give it a template that has (doc_to_text in a YAML task)"
            )
        return found

    @cached_property
    def _formats(self) -> list[Format]:
        """The formats that change the prompt, in the order in which they are tried."""
        frame = self._frame(self.task.samples[0])
        made: dict[str, Format] = {frame: Format("", "", "")}
        for form in formats(seed_for(self.task.name, "", "format", "", 0, self.seed)):
            made.setdefault(reformatted(frame, self._descriptors, form), form)
        return list(made.values())[1:]

    def _frame(self, sample: Sample) -> str:
        return self.task.render(sample, _CONTENT)

    def _formatted(self, sample: Sample, number: int) -> str:
        if number > len(self._formats):
            raise UserError(
                f"format: there are only {len(self._formats)} formats of task '{self.task.name}': ask for fewer"
            )
        form = self._formats[number - 1]
        return reformatted(self._frame(sample), self._descriptors, form).replace(_CONTENT, sample.content)

    def _options(self, sample: Sample, number: int) -> Shape:
        prompt = self.task.render(sample, sample.content)
        lists = find_options(prompt)
        if not lists:
            raise UserError(
                f"options: the prompt of task '{self.task.name}', sample '{sample.id}', lists no options on lines of "
                "their own, such as 'A. Paris': give it a template that does (doc_to_text in a YAML task)"
            )
        letters = set(lists[-1].letters)
        ranked = set(sample.choices) == letters
        lettered = ranked or (not sample.choices and bool(sample.references) and letters.issuperset(sample.references))
        reletter = len(lists) == 1 and (ranked or not sample.choices)  # examples show how options are lettered
        others = math.factorial(len(lists[-1].lines)) - 1
        if number > (available := math.lcm(others, LETTERINGS) if reletter else others):
            raise UserError(self._too_many("options", sample, available))
        order = self._order(sample, "options", len(lists[-1].lines), (number - 1) % others)
        made = reordered(prompt, lists[-1], order, number, reletter=reletter)
        names = {clean: letter for letter, clean in made.letters.items()}
        choices = tuple(names[choice] for choice in sample.choices) if ranked else sample.choices
        return Shape(made.prompt, choices, made.letters if lettered else {})

    def _examples(self, sample: Sample, number: int) -> str:
        examples = sample.metadata.get(EXAMPLES, ())
        prompt = self.task.render(sample, sample.content)
        if len(examples) < 2 or "".join(examples) not in prompt:
            raise UserError(
                f"example_order: the prompt of task '{self.task.name}' has no examples to reorder: set num_fewshot to "
                "2 or more in a YAML task"
            )
        if number > (available := math.factorial(len(examples)) - 1):
            raise UserError(self._too_many("example_order", sample, available))
        order = self._order(sample, "example_order", len(examples), number - 1)
        return prompt.replace("".join(examples), "".join(examples[i] for i in order), 1)

    def _order(self, sample: Sample, name: str, count: int, place: int) -> tuple[int, ...]:
        rng = seed_for(self.task.name, sample.id, name, "", 0, self.seed)
        return next(islice(other_orders(count, rng), place, None))

    def _too_many(self, name: str, sample: Sample, available: int) -> str:
        found = "1 other order" if available == 1 else f"{available} other orders"
        return (
            f"{name}: the prompt of task '{self.task.name}', sample '{sample.id}', allows only {found}: ask for "
            f"{name}@{available}"
        )


def reshapes(name: str) -> bool:
    """Return whether a perturbation changes the prompt around the content."""
    return name not in (CLEAN, IDENTITY) and parts_of(name)[0].reshapes
