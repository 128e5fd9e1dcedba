"""Sentences, entities and actions (who does what to whom) from a trained spaCy pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import regex

from holdfast.errors import UserError
from holdfast.language.sentences import Span

Action = tuple[str, str, str]
"""The stems of a verb, its agent and its patient."""

_QUANTITIES = frozenset("CARDINAL DATE MONEY ORDINAL PERCENT QUANTITY TIME".split())
"""Labels of entities that are quantities; these are read by rule instead."""

_SUBJECTS, _PASSIVES, _OBJECTS = ("nsubj",), ("nsubjpass", "nsubj:pass"), ("dobj", "obj", "iobj", "dative")


@dataclass(frozen=True, slots=True)
class Parse:
    """The sentence spans of an answer, the words of its entities (lower case), and its actions."""

    sentences: tuple[Span, ...]
    names: frozenset[str]
    actions: frozenset[Action]


def parse(texts: Sequence[str], pipeline: str) -> list[Parse]:
    """Parse texts with a spaCy pipeline.

    A pipeline without an entity recogniser finds no names; one without a parser finds no actions.

    Args:
        texts: The texts to parse.
        pipeline: The name of an installed pipeline, or its directory.

    Returns:
        One parse per text, in order.

    Raises:
        UserError: If the pipeline is not installed.
    """
    docs = _pipeline(pipeline).pipe(map(without_surrogates, texts), batch_size=64)
    return [
        Parse(
            tuple((sentence.start_char, sentence.end_char) for sentence in doc.sents),
            frozenset(token.lower_ for entity in doc.ents if entity.label_ not in _QUANTITIES for token in entity),
            frozenset(_actions(doc)),
        )
        for doc in docs
    ]


def without_surrogates(text: str) -> str:
    """Replace lone surrogates, which spaCy can't encode as UTF-8, by a character of the same length."""
    return text if text.isascii() else regex.sub(r"[\ud800-\udfff]", "\ufffd", text)


def _actions(doc: Any) -> Iterator[Action]:
    """Yield the agent and patient of each verb; in a passive the subject is the patient and "by" marks the agent."""
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


def check_installed(pipeline: str) -> None:
    """Raise UserError if a pipeline is neither a package nor a directory, without importing spaCy."""
    if not (pipeline.isidentifier() and find_spec(pipeline)) and not Path(pipeline).expanduser().is_dir():
        raise _not_installed(pipeline)


def _not_installed(pipeline: str) -> UserError:
    return UserError(
        f"spaCy pipeline '{pipeline}' is not installed: install it (python -m spacy download {pipeline}), "
        "or omit it to split sentences by rule"
    )


@cache
def _pipeline(name: str) -> Any:
    import spacy

    try:
        nlp = spacy.load(name)
    except OSError:
        raise _not_installed(name) from None
    if not {"parser", "senter", "sentencizer"} & set(nlp.pipe_names):
        nlp.add_pipe("sentencizer", first=True)
    return nlp
