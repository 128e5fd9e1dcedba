"""Summaries of news and dialogues. None is part of Holdfast: name your copy."""

from holdfast.errors import UserError
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.published.data_set import data_sets
from holdfast.tasks.published.table_layout import Layout, published

_METRICS = ("rouge", "entity_recall", "source_facts", "answer_rate")
_ARTICLE = "Summarise this article{}.\n\n{{{{ content }}}}"
_DIALOGUE = "Summarise this dialogue.\n\n{{ content }}"
_SEVERAL = ("summary1", "summary2", "summary3")
_IDS = ("id", "fname")
"""Columns with ids; DialogSum's authors call theirs `fname`. Exports may lack them."""


def _id(row: Fields) -> Fields:
    return next(({"id": row[name]} for name in _IDS if row.get(name) not in (None, "")), {})


def _id_and_references(row: Fields) -> Fields:
    """Test dialogues of DialogSum have three summaries, in columns of their own; exports may have a list of them."""
    found = [row[name] for name in _SEVERAL if row.get(name)] or row.get("summaries") or row["summary"]
    if not found:
        raise UserError("the summary is empty")
    return {**_id(row), "references": found}


_ALL = (
    Layout(
        "cnn_dailymail",
        "CNN/DailyMail: news articles with their highlights (See et al. 2017, arXiv 1704.04368).",
        content="article",
        metrics=_METRICS,
        references="highlights",
        more=_id,
        prompt=_ARTICLE.format(" in three or four sentences"),
        max_new_tokens=160,
        config="3.0.0",
        split="test",
    ),
    Layout(
        "xsum",
        "XSum: news articles with a summary of one sentence (Narayan et al. 2018, arXiv 1808.08745).",
        content="document",
        metrics=_METRICS,
        references="summary",
        more=_id,
        prompt=_ARTICLE.format(" in one sentence"),
        split="test",
    ),
    Layout(
        "samsum",
        "SAMSum: chats with a summary (Gliwa et al. 2019, arXiv 1911.12237).",
        content="dialogue",
        metrics=_METRICS,
        references="summary",
        more=_id,
        prompt=_DIALOGUE,
        max_new_tokens=96,
        split="test",
    ),
    Layout(
        "dialogsum",
        "DialogSum: spoken dialogues, in the test split with three summaries (Chen et al. 2021, arXiv 2105.06762).",
        content="dialogue",
        metrics=_METRICS,
        more=_id_and_references,
        prompt=_DIALOGUE,
        max_new_tokens=96,
        split="test",
    ),
)

for _layout in _ALL:
    data_sets.register(_layout.name, published(_layout))
