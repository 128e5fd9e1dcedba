"""What a trained spaCy pipeline reads in an answer: its sentences, its entities, and who does what to whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import regex

from holdfast.errors import UserError
from holdfast.language.answer_sentences import Span

Action = tuple[str, str, str]
"""A verb, who does it and whom it is done to: stems."""

_NO_NAMES = frozenset("CARDINAL DATE MONEY ORDINAL PERCENT QUANTITY TIME".split())
"""Entities that are quantities, which are read by rule."""

_SUBJECTS, _PASSIVES, _OBJECTS = ("nsubj",), ("nsubjpass", "nsubj:pass"), ("dobj", "obj", "iobj", "dative")


@dataclass(frozen=True, slots=True)
class Parse:
    """The sentences of an answer, the words of its entities (lower case), and its actions."""

    sentences: tuple[Span, ...]
    names: frozenset[str]
    actions: frozenset[Action]


def parse(texts: Sequence[str], pipeline: str) -> list[Parse]:
    """Read texts with the installed spaCy pipeline of this name, or in this directory.

    A pipeline without an entity recogniser finds no names, one without a parser no actions. Raises UserError for a
    pipeline that is not installed.
    """
    docs = _pipeline(pipeline).pipe(map(without_surrogates, texts), batch_size=64)
    return [
        Parse(
            tuple((sentence.start_char, sentence.end_char) for sentence in doc.sents),
            frozenset(token.lower_ for entity in doc.ents if entity.label_ not in _NO_NAMES for token in entity),
            frozenset(_actions(doc)),
        )
        for doc in docs
    ]


def without_surrogates(text: str) -> str:
    """A lone surrogate has no UTF-8 form, which spaCy needs; the stand-in keeps every offset."""
    return text if text.isascii() else regex.sub(r"[\ud800-\udfff]", "\ufffd", text)


def _actions(doc: Any) -> Iterator[Action]:
    """Subject and object of each verb; a passive's subject is its object, and its agent stands behind "by"."""
    from holdfast.language.stems import stem

    for verb in doc:
        children = list(verb.children)
        agents = [child for child in children if child.dep_ in _SUBJECTS]
        agents += [word for child in children if child.dep_ == "agent" for word in child.children]
        agents += [child for child in children if child.dep_ == "obl:agent"]
        patients = [child for child in children if child.dep_ in (*_PASSIVES, *_OBJECTS)]
        yield from (
            (stem(verb.lower_), stem(agent.lower_), stem(patient.lower_)) for agent in agents for patient in patients
        )


@cache
def _pipeline(name: str) -> Any:
    import spacy

    try:
        nlp = spacy.load(name)
    except OSError:
        raise UserError(
            f"spaCy pipeline '{name}' is not installed: install it (python -m spacy download {name}), "
            "or leave it out to cut sentences by rule"
        ) from None
    if not {"parser", "senter", "sentencizer"} & set(nlp.pipe_names):
        nlp.add_pipe("sentencizer", first=True)
    return nlp
