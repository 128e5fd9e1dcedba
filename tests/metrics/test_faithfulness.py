"""Faithfulness: which parts of a source are asked about, and what counts."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given, strategies
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from holdfast.metrics.comparers.entailment import Entailment, Pair
from holdfast.metrics.comparers.nli import load_nli
from holdfast.metrics.scores.faithfulness import support
from tests.metrics.comparers.toy_nli import train_nli


class WordsInside:
    """Says that a premise entails the words that it has; its tokens are words, and it reads `room` of them."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.premises: set[str] = set()

    def __call__(self, pairs: Sequence[Pair]) -> list[Entailment]:
        self.premises |= {premise for premise, _ in pairs}
        return [Entailment(float(_words(hypothesis) <= _words(premise)), 0.0) for premise, hypothesis in pairs]

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def room(self, hypothesis: str) -> int:
        return self._room


def _words(text: str) -> set[str]:
    return set(text.lower().replace(".", "").split())


def test_the_best_sentence_of_the_source_counts(tmp_path: Path) -> None:
    folder = train_nli(tmp_path, steps=0)
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)

    def entailed(premise: str, hypothesis: str) -> float:
        with torch.no_grad():
            return float(model(**tokenizer(premise, hypothesis, return_tensors="pt")).logits.softmax(-1)[0, 0])

    parts = ["The road is closed.", "The door is open today."]
    said = ["The door is open.", "The shop is closed."]
    [found] = support([" ".join(said)], [" ".join(parts)], load_nli(str(folder)))
    best = [max(entailed(each, one) for each in (*parts, " ".join(parts))) for one in said]
    assert found == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize(("room", "supported"), [(9, [1.0]), (5, [0.0])])
def test_sentences_support_together_what_fits_together(room: int, supported: list[float]) -> None:
    source = "Anna left at noon. Ben won a prize."
    assert support(["Anna won."], [source], WordsInside(room)) == [supported]


def test_neighbours_are_read_together_in_a_long_source() -> None:
    source = " ".join(f"Guest{i} took seat{i} early." for i in range(50))
    asked = WordsInside(12)
    assert support(["Guest30 took seat31. Guest3 took seat40."], [source], asked) == [[1.0, 0.0]]
    assert max(asked.lengths(list(asked.premises))) == 12


def test_an_answer_without_sentences_has_no_support() -> None:
    assert support(["", "..."], ["Anna left.", ""], WordsInside(9)) == [[], []]
    assert support(["Anna left."], [""], WordsInside(9)) == [[0.0]]


@given(strategies.lists(strategies.sampled_from("Anna Ben left won early . ,".split()), max_size=60))
def test_no_word_of_a_source_goes_unread(words: list[str]) -> None:
    source, asked = " ".join(words), WordsInside(7)
    support(["Carla lost."], [source], asked)
    read = {word for premise in asked.premises for word in _words(premise)}
    assert _words(source) - {","} <= read
    assert all(size <= 7 for size in asked.lengths(list(asked.premises)))
