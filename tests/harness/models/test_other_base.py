"""The warning about adapters that are used on a base they weren't trained on."""

import json
import shutil
import warnings
from pathlib import Path

import pytest

from holdfast.harness.models.checkpoints import find_adapters, find_base, find_checkpoint, warn_about_base_mismatch


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """A copy of a shipped adapter, which was trained on pocket-aligned."""
    return Path(shutil.copytree(find_checkpoint("pocket-steady"), tmp_path / "mine"))


def warnings_of(adapter: Path, pretrained: str) -> list[str]:
    base = find_base(pretrained)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_about_base_mismatch([base, *find_adapters([str(adapter)], base)], base)
    return [str(each.message) for each in caught]


def test_a_base_other_than_the_one_named_is_warned_about(adapter: Path) -> None:
    assert warnings_of(adapter, "pocket-aligned") == []
    [message] = warnings_of(adapter, "pocket-base")
    assert "adapter 'mine' was trained on a different base ('pocket-aligned') than the one used here" in message


def test_an_unavailable_base_gives_no_warning(adapter: Path) -> None:
    settings = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps({**settings, "base_model_name_or_path": "./elsewhere"}))
    assert warnings_of(adapter, "pocket-base") == []


def test_the_training_card_overrides_the_name(adapter: Path) -> None:
    card = {
        "recipe": {},
        "recipe_digest": "",
        "data_digest": "",
        "base_digest": find_base("pocket-base").digest,
        "examples": 1,
        "longer_than_context": 0,
        "versions": {},
        "seconds": 1.0,
        "peak_memory_mib": 1.0,
        "metrics": {},
        "norms": {},
        "squared_distance": None,
    }
    (adapter / "training_card.json").write_text(json.dumps(card))
    assert warnings_of(adapter, "pocket-base") == []
    assert len(warnings_of(adapter, "pocket-aligned")) == 1
