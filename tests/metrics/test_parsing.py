"""A spaCy pipeline named by the user contributes its sentences, entities and parse."""

from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from holdfast.errors import UserError
from holdfast.metrics.drift import segment_drift
from holdfast.metrics.encoders.encoder import encoding_of
from holdfast.metrics.parsing import parse
from holdfast.metrics.segments import segment


@Language.component("first_noun_acts")
def first_noun_acts(doc: Doc) -> Doc:
    """Parse known nouns before "outwits" as its subject, and those after it as its object."""
    verbs = [token.i for token in doc if token.lower_ == "outwits"]
    for token in doc:
        if verbs and token.lower_ in ("dog", "cat", "sock", "chair"):
            token.head = doc[verbs[0]]
            token.dep_ = "nsubj" if token.i < verbs[0] else "dobj"
    return doc


@pytest.fixture
def pipeline(tmp_path: Path) -> str:
    """Save a pipeline with an entity recogniser and a parser, as trained ones have, and return its directory."""
    nlp = spacy.blank("en")
    nlp.add_pipe("first_noun_acts")
    nlp.add_pipe("sentencizer", config={"punct_chars": ["!"]})
    nlp.add_pipe("entity_ruler").add_patterns(
        [{"label": "PRODUCT", "pattern": "zorblax"}, {"label": "PRODUCT", "pattern": "quuxil"}]
    )
    nlp.to_disk(tmp_path / "tiny")
    return str(tmp_path / "tiny")


def test_parse_returns_sentences_entities_and_actions(pipeline: str) -> None:
    [found] = parse(["The dog outwits the cat! Take zorblax."], pipeline)
    assert found.sentences == ((0, 24), (25, 38))
    assert found.names == {"zorblax"}
    assert found.actions == {("outwit", "dog", "cat")}


def test_segments_use_the_sentences_of_the_pipeline(pipeline: str) -> None:
    text = "He came! she left. They met."
    assert [part.text for part in segment([text], "sentence", parse([text], pipeline))[0]] == [
        "He came!",
        "she left. They met.",
    ]


def test_a_lower_case_entity_counts_as_a_name(pipeline: str) -> None:
    before, after = ["Take zorblax with water twice."], ["Take quuxil with water twice."]
    lexical = encoding_of("lexical")
    [found] = segment_drift(before, after, encoding=lexical, pipeline=pipeline)
    assert found.worst is not None
    assert found.worst.reason == "name zorblax -> quuxil"
    assert "name" not in " ".join(segment_drift(before, after, encoding=lexical)[0].reasons)


def test_the_parse_reveals_swapped_agent_and_patient(pipeline: str) -> None:
    before, after = ["The sock near the shed outwits a chair."], ["Yesterday some chair outwits the sock."]
    lexical = encoding_of("lexical")
    [found] = segment_drift(before, after, encoding=lexical, pipeline=pipeline)
    assert found.reasons[0] == "roles sock <-> chair"
    assert "roles" not in " ".join(segment_drift(before, after, encoding=lexical)[0].reasons)


def test_a_missing_pipeline_raises_user_error() -> None:
    with pytest.raises(UserError, match="'xx_missing' is not installed"):
        parse(["a"], "xx_missing")
