"""Financial PhraseBank (Malo et al. 2014) in its own layout: four files, by how many annotators agree."""

from functools import partial
from pathlib import Path

from holdfast.errors import UserError
from holdfast.tasks.data_files.data_rows import data_rows
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.data_files.sample_rows import build_samples
from holdfast.tasks.published.data_set import DataSet, classified, data_sets, located
from holdfast.tasks.sample import GROUP
from holdfast.tasks.task import Task

CLASSES = ("negative", "neutral", "positive")
HUB = "takala/financial_phrasebank"
LEVELS = {"50agree": "Sentences_50Agree.txt", "66agree": "Sentences_66Agree.txt"}
LEVELS |= {"75agree": "Sentences_75Agree.txt", "allagree": "Sentences_AllAgree.txt"}
"""The least agreement of the annotators, and the file with the sentences that have it."""

_TEXTS, _LABELS = ("content", "sentence", "text"), ("references", "label", "sentiment")
_PROMPT = "Is the sentiment of this sentence positive, negative or neutral?\n\nSentence: {{ content }}"


def read_phrasebank(name: str, source: str) -> Task:
    """Return the sentences of an agreement level.

    Args:
        name: `financial_phrasebank/` and one of `LEVELS`.
        source: The published folder, or a file: one of its four, or an export with columns such as `sentence` and
            `label`; empty for the hub. Sentences of a folder are also grouped by agreement.

    Raises:
        UserError: If it can't be read, or rows have no text or label; the message names the rows.
    """
    level = name.rpartition("/")[2]
    if source:
        found = located(source, LEVELS[level], name)
        rows, stricter = data_rows(found), _stricter(Path(found), level) if Path(source).is_dir() else {}
    else:
        rows, stricter = data_rows(HUB, split="train", config=f"sentences_{level}"), {}
    samples = build_samples(rows.mapped(partial(_sample, stricter, level)))
    return Task(f"financial_phrasebank_{level}", samples, ("label_accuracy", "answer_rate"), _PROMPT, max_new_tokens=8)


def _sample(stricter: dict[str, str], level: str, number: int, row: Fields, where: str) -> Fields:
    text, label = (next((key for key in keys if key in row), None) for keys in (_TEXTS, _LABELS))
    if text is None or label is None:
        raise UserError(f"{where}: needs a sentence and a label; it has {', '.join(row)}")
    fields: Fields = {"id": row.get("id") or number, "content": row[text]}
    if stricter:
        fields[GROUP] = {"agreement": stricter.get(row[text], level)}
    return classified(fields, row[label], CLASSES, where)


def _stricter(file: Path, level: str) -> dict[str, str]:
    """Return the highest level of each sentence that the files for more agreement have, too."""
    found: dict[str, str] = {}
    levels = list(LEVELS)
    for each in levels[levels.index(level) + 1 :]:
        if (path := file.parent / LEVELS[each]).is_file():
            found |= {row["content"]: each for _, row in data_rows(path).rows if not isinstance(row, UserError)}
    return found


for _level in LEVELS:
    data_sets.register(
        f"financial_phrasebank/{_level}",
        DataSet(
            f"financial_phrasebank/{_level}",
            f"Financial PhraseBank (Malo et al. 2014), {LEVELS[_level]}: positive, negative or neutral?",
            read_phrasebank,
        ),
    )
