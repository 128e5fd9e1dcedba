"""`holdfast correct` on adapters with parts that no correction covers: the head, embeddings, whole modules."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from holdfast.errors import UserError
from holdfast.harness.actions.correcting import correct
from tests.harness.actions.pairs import Setting, card_of, command, merged, saved_adapter


def test_tensors_that_no_correction_covers_are_kept(
    setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter", modules_to_save=["lm_head"], target_modules=["q_proj"])
    assert command(adapter, subspace, tmp_path / "out") == 0
    assert "what no correction covers is kept as it is, 1 in all: lm_head.weight" in capsys.readouterr().err
    key = "base_model.model.lm_head.weight"
    assert card_of(tmp_path / "out")["kept"] == [key]
    old, new = (load_file(path / "adapter_model.safetensors") for path in (adapter, tmp_path / "out"))
    assert torch.equal(old[key], new[key])


@pytest.mark.parametrize("rank", ["exact", "keep"])
def test_an_adapted_head_and_embedding_are_kept_and_named(
    setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str], rank: str
) -> None:
    aligned, subspace = setting
    targets = ["embed_tokens", "lm_head", "q_proj"]
    adapter = saved_adapter(aligned, tmp_path / "adapter", target_modules=targets, rank_pattern={"lm_head": 3})
    alone = saved_adapter(aligned, tmp_path / "alone", target_modules=["q_proj"])
    files = [load_file(path / "adapter_model.safetensors") for path in (adapter, alone)]
    files[0]["base_model.model.model.embed_tokens.lora_embedding_A"].normal_(generator=torch.Generator().manual_seed(3))
    save_file(files[0], adapter / "adapter_model.safetensors", {"format": "pt"})
    save_file({k: files[0][k] for k in files[1]}, alone / "adapter_model.safetensors", {"format": "pt"})
    for source in (adapter, alone):
        assert command(source, subspace, tmp_path / f"{source.name}-out", "--strength", "2", "--rank", rank) == 0
    said = capsys.readouterr().err
    assert "what no correction covers is kept as it is, 2 in all: lm_head, model.embed_tokens" in said
    assert card_of(tmp_path / "adapter-out")["kept"] == ["lm_head", "model.embed_tokens"]
    before, after = merged(aligned, adapter), merged(aligned, tmp_path / "adapter-out")
    corrected = merged(aligned, tmp_path / "alone-out")
    assert before["lm_head.weight"].norm() > 0.1
    assert before["model.embed_tokens.weight"].norm() > 0.1
    for name, update in after.items():
        expected = corrected[name] if "q_proj" in name else before[name]
        assert torch.allclose(update, expected, atol=1e-6), name


def test_an_adapter_of_the_head_alone_has_nothing_to_correct(setting: Setting, tmp_path: Path) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter", target_modules=["lm_head"])
    with pytest.raises(
        UserError, match="changes only lm_head, which a subspace leaves out: there is nothing to correct"
    ):
        correct(str(adapter), subspace, tmp_path / "out", strength=1.0)
