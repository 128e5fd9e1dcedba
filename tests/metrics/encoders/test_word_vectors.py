"""Contextual vectors of words: what they are, and that they are computed once."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from holdfast.harness.store.embeddings import EmbeddingFile
from holdfast.metrics.encoders.encoder import load_encoder
from holdfast.metrics.encoders.minilm import minilm_folder
from holdfast.metrics.encoders.remembering import Remembered
from holdfast.metrics.facts import words_of

TEXTS = ["The exporter pays in München.", "A cat sat."]


def spans(texts: Sequence[str]) -> list[list[tuple[int, int]]]:
    return [[(word.start, word.end) for word in words_of(text)] for text in texts]


def test_a_word_is_the_mean_of_its_tokens() -> None:
    from transformers import AutoModel, AutoTokenizer

    _, [words, _] = load_encoder("minilm").with_words(TEXTS, spans(TEXTS))  # type: ignore[attr-defined]
    tokenizer, model = AutoTokenizer.from_pretrained(minilm_folder()), AutoModel.from_pretrained(minilm_folder()).eval()
    read = tokenizer(TEXTS[0], return_tensors="pt")
    with torch.inference_mode():
        states = model(**read).last_hidden_state[0]
    for i, vector in enumerate(words.astype(np.float32)):
        mean = states[[place for place, word in enumerate(read.word_ids()) if word == i]].mean(0)
        assert vector == pytest.approx((mean / mean.norm()).numpy(), abs=0.02)


class Counting:
    """An encoder that counts the texts it reads."""

    def __init__(self) -> None:
        self.read = 0

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.read += len(texts)
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)

    def with_words(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        return self(texts), [np.array(each, dtype=np.float16).reshape(len(each), 2) for each in spans]


def test_a_text_is_read_once_for_itself_and_its_words() -> None:
    counting = Counting()
    remembered = Remembered(counting)
    rows, words = remembered.with_words(TEXTS, spans(TEXTS))
    again, same = remembered.with_words(TEXTS[::-1], spans(TEXTS[::-1]))
    assert (remembered(TEXTS) == rows).all()
    assert (again == rows[::-1]).all()
    assert all((one == other).all() for one, other in zip(words, same[::-1], strict=True))
    assert counting.read == len(TEXTS)


def test_a_resumed_run_reads_words_from_its_file(tmp_path) -> None:
    counting, path = Counting(), tmp_path / "embeddings.0"
    with EmbeddingFile(path, counting) as first:
        _, words = first.with_words(TEXTS, spans(TEXTS))
    seen = counting.read
    with (path.with_name("embeddings.0.words")).open("ab") as file:
        file.write(b"cut off")  # a killed run leaves half a record
    with EmbeddingFile(path, counting) as resumed:
        rows, same = resumed.with_words(TEXTS, spans(TEXTS))
    assert counting.read == seen + 1  # the width of the vectors
    assert (rows == counting(TEXTS)).all()
    assert all((one == other).all() for one, other in zip(words, same, strict=True))
