"""Flat-LoRA in a Trainer of one's own, on an image classifier."""

from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig, Trainer, TrainingArguments

from holdfast.training.loop.callbacks import FlatLora
from holdfast.training.noise import WeightNoise
from tests.training.models import tiny, with_lora


def trained(folder: Path, sigma: float | None) -> dict[str, torch.Tensor]:
    """What two epochs on eight small images make of a ViT under LoRA, with gradients of two micro-batches a step."""
    model, _ = tiny("vit")
    model = with_lora(model)
    pixels = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    images = [{"pixel_values": image, "labels": i % 2} for i, image in enumerate(pixels)]
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=2,
        gradient_accumulation_steps=2,
        num_train_epochs=2,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
    )
    callbacks = [] if sigma is None else [FlatLora(model, sigma=sigma)]
    before = {name: value.clone() for name, value in model.named_parameters() if ".lora_" not in name}
    Trainer(model, arguments, train_dataset=images, callbacks=callbacks).train()
    after = dict(model.named_parameters())
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    return {name: value.detach().clone() for name, value in after.items() if ".lora_" in name}


def test_the_noise_acts_in_every_step_and_leaves_the_base_alone(tmp_path: Path) -> None:
    plain, noisy, again = (trained(tmp_path, sigma) for sigma in (None, 0.15, 0.15))
    assert not all(torch.equal(plain[name], noisy[name]) for name in plain)
    assert all(torch.equal(noisy[name], again[name]) for name in plain)


def test_without_noise_it_is_plain_lora(tmp_path: Path) -> None:
    plain, still = trained(tmp_path, None), trained(tmp_path, 0.0)
    assert all(torch.equal(plain[name], still[name]) for name in plain)


def test_a_model_of_two_towers_takes_the_noise_too() -> None:
    size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    ends = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    text = CLIPTextConfig(vocab_size=64, max_position_embeddings=16, **ends, **size)
    vision = CLIPVisionConfig(image_size=16, patch_size=8, **size)
    clip = CLIPModel(CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=16))
    model = with_lora(clip)
    batch = {"input_ids": torch.randint(3, 60, (2, 7)), "pixel_values": torch.randn(2, 3, 16, 16), "return_loss": True}
    noise = WeightNoise(model, sigma=0.15)
    before = model(**batch).loss
    with noise.step(5, 10):
        within = model(**batch).loss
        within.backward()
    assert within != before
    assert model(**batch).loss == before
    assert any(
        value.grad is not None and value.grad.any() for name, value in model.named_parameters() if "vision" in name
    )
