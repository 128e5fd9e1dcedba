"""An adapter on a base that it was not trained on."""

import json
import shutil
import warnings
from pathlib import Path

import pytest

from holdfast.harness.models.checkpoints import find_adapters, find_base, find_checkpoint, warn_of_other_bases


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A copy of a shipped adapter, which was trained on pocket-aligned."""
    return Path(shutil.copytree(find_checkpoint("pocket-steady"), tmp_path / "mine"))


def warned(adapter: Path, pretrained: str) -> list[str]:
    base = find_base(pretrained)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_other_bases([base, *find_adapters([str(adapter)], base)], base)
    return [str(each.message) for each in caught]


def test_the_base_that_an_adapter_names_is_compared(mine: Path) -> None:
    assert warned(mine, "pocket-aligned") == []
    [told] = warned(mine, "pocket-base")
    assert "adapter 'mine' was trained on another base ('pocket-aligned') than the one that it is put on" in told


def test_a_base_that_is_not_at_hand_is_not_guessed_at(mine: Path) -> None:
    settings = json.loads((mine / "adapter_config.json").read_text())
    (mine / "adapter_config.json").write_text(json.dumps({**settings, "base_model_name_or_path": "./elsewhere"}))
    assert warned(mine, "pocket-base") == []


def test_the_training_card_knows_better_than_the_name(mine: Path) -> None:
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
    (mine / "training_card.json").write_text(json.dumps(card))
    assert warned(mine, "pocket-base") == []
    assert len(warned(mine, "pocket-aligned")) == 1
