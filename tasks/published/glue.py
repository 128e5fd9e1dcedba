"""GLUE (Wang et al. 2019) in the layouts of its TSV files, or with the columns of the hub."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.tasks.data_files.data_rows import DataRows, data_rows
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.data_files.sample_rows import build_samples
from holdfast.tasks.data_files.text_lines import text_lines
from holdfast.tasks.published.data_set import DataSet, classified, data_sets, located
from holdfast.tasks.sample import PAIR
from holdfast.tasks.task import Task

HUB = "nyu-mll/glue"
_PAIR = "Sentence 1: {{ content }}\nSentence 2: {{ text_pair }}"


@dataclass(frozen=True, slots=True)
class GlueTask:
    """A task of GLUE: its classes in their published order, its file, and the names that its columns have."""

    about: str
    classes: tuple[str, ...]
    file: str
    question: str
    texts: tuple[str, ...]
    pairs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ("label",)
    header: tuple[str, ...] = ()
    """The names of the columns of a file without a header."""
    split: str = "validation"

    @property
    def prompt(self) -> str:
        """The prompt for a language model."""
        return f"{self.question}\n\n{_PAIR if self.pairs else 'Sentence: {{ content }}'}"


_TWO = ("sentence1",), ("sentence2",)
_ENTAILS = "Does the second sentence follow from the first? Answer entailment or not_entailment."
TASKS = {
    "cola": GlueTask(
        "is a sentence acceptable English?",
        ("unacceptable", "acceptable"),
        "CoLA/dev.tsv",
        "Is this sentence acceptable or unacceptable English?",
        ("sentence",),
        header=("source", "label", "mark", "sentence"),
    ),
    "sst2": GlueTask(
        "the sentiment of sentences from film reviews",
        ("negative", "positive"),
        "SST-2/dev.tsv",
        "Is the sentiment of this sentence positive or negative?",
        ("sentence",),
    ),
    "mrpc": GlueTask(
        "do two sentences mean the same?",
        ("not_equivalent", "equivalent"),
        "MRPC/dev.tsv",
        "Do these sentences mean the same? Answer equivalent or not_equivalent.",
        ("sentence1", "#1 String"),
        ("sentence2", "#2 String"),
        ("label", "Quality"),
    ),
    "qqp": GlueTask(
        "do two questions ask the same?",
        ("not_duplicate", "duplicate"),
        "QQP/dev.tsv",
        "Do these questions ask the same? Answer duplicate or not_duplicate.",
        ("question1",),
        ("question2",),
        ("label", "is_duplicate"),
    ),
    "mnli": GlueTask(
        "does a hypothesis follow from a premise (matched)?",
        ("entailment", "neutral", "contradiction"),
        "MNLI/dev_matched.tsv",
        "Does the second sentence follow from the first? Answer entailment, neutral or contradiction.",
        ("premise", "sentence1"),
        ("hypothesis", "sentence2"),
        ("label", "gold_label"),
        split="validation_matched",
    ),
    "qnli": GlueTask(
        "does a sentence answer a question?",
        ("entailment", "not_entailment"),
        "QNLI/dev.tsv",
        "Does the sentence answer the question? Answer entailment or not_entailment.",
        ("question",),
        ("sentence",),
    ),
    "rte": GlueTask(
        "does a sentence follow from another?", ("entailment", "not_entailment"), "RTE/dev.tsv", _ENTAILS, *_TWO
    ),
    "wnli": GlueTask(
        "does a sentence with a pronoun replaced follow?",
        ("not_entailment", "entailment"),
        "WNLI/dev.tsv",
        _ENTAILS,
        *_TWO,
    ),
}


def read_glue(name: str, source: str) -> Task:
    """Return a task of GLUE, with the second text of pairs as `text_pair`.

    Args:
        name: `glue/` and one of `TASKS`.
        source: The folder of all tasks or of this one, or a file: TSV as published, or an export with the columns of
            the hub; empty for the hub.

    Raises:
        UserError: If it can't be read, or rows lack a column or have unknown labels; the message names the rows.
    """
    short = name.removeprefix("glue/")
    task = TASKS[short]
    if not source:
        rows = data_rows(HUB, split=task.split, config=short)
    else:
        found = located(source, task.file, name)
        is_tsv = found.endswith(".tsv")
        rows = DataRows(found, "line", _lines(Path(found), task)) if is_tsv else data_rows(found, split=task.split)
    samples = build_samples(rows.mapped(partial(_sample, task)))
    return Task(f"glue_{short}", samples, ("label_accuracy", "answer_rate"), task.prompt, max_new_tokens=8)


def _lines(path: Path, task: GlueTask) -> Iterator[tuple[int, Fields | UserError]]:
    """Yield the lines of a TSV file, in which quotes are ordinary characters, unlike in those of a spreadsheet."""
    names = list(task.header)
    for number, line in text_lines(path):
        if isinstance(line, UserError):
            yield number, line
        elif not names:
            names = [name.strip() for name in line.split("\t")]
        elif line.strip():
            cells = line.split("\t")
            if len(cells) == len(names):
                yield number, dict(zip(names, cells, strict=True))
            else:
                where = f"{path}, line {number}"
                yield number, UserError(f"{where}: {len(cells)} cells, but there are {len(names)} columns")


def _sample(task: GlueTask, number: int, row: Fields, where: str) -> Fields:
    fields: Fields = {"id": row.get("id") or number, "content": _cell(row, task.texts, where)}
    if task.pairs:
        fields[PAIR] = _cell(row, task.pairs, where)
    return classified(fields, _cell(row, task.labels, where), task.classes, where)


def _cell(row: Fields, names: tuple[str, ...], where: str) -> Any:
    found = next((row[name] for name in names if name in row), None)
    if found is None:
        raise UserError(f"{where}: needs the column '{names[0]}'; it has {', '.join(row)}")
    return found


for _name, _task in TASKS.items():
    data_sets.register(f"glue/{_name}", DataSet(f"glue/{_name}", f"GLUE: {_task.about}", read_glue))
