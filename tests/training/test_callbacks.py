"""Flat-LoRA as a callback in a plain Trainer, on an image classifier."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig, Trainer, TrainingArguments

from holdfast.training.loop.callbacks import FlatLora
from holdfast.training.noise.weights.weight_noise import WeightNoise
from tests.training.models import tiny, with_lora


def images() -> list[dict[str, object]]:
    """Make eight small images of two classes."""
    pixels = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    return [{"pixel_values": image, "labels": i % 2} for i, image in enumerate(pixels)]


def train(folder: Path, sigma: float | None, *, by_hand: bool = False) -> dict[str, torch.Tensor]:
    """Train a ViT with LoRA for two epochs, two micro-batches a step, and return the adapter's weights."""
    model, _ = tiny("vit")
    model = with_lora(model)
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
    callbacks = [] if sigma is None or by_hand else [FlatLora(model, sigma=sigma)]
    before = {name: value.clone() for name, value in model.named_parameters() if ".lora_" not in name}
    trainer = (ByHand if by_hand else Trainer)(model, arguments, train_dataset=images(), callbacks=callbacks)
    if by_hand:
        trainer.noise = WeightNoise(model, sigma=sigma or 0.0)
    trainer.train()
    after = dict(model.named_parameters())
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    return {name: value.detach().clone() for name, value in after.items() if ".lora_" in name}


def test_noise_is_reproducible_and_keeps_the_base_unchanged(tmp_path: Path) -> None:
    plain, noisy, again = (train(tmp_path, sigma) for sigma in (None, 0.15, 0.15))
    assert not all(torch.equal(plain[name], noisy[name]) for name in plain)
    assert all(torch.equal(noisy[name], again[name]) for name in plain)


class ByHand(Trainer):  # type: ignore[misc]
    """A Trainer that applies the noise itself, around each micro-batch."""

    noise: WeightNoise

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        with self.noise.step(self.state.global_step, self.state.max_steps):
            loss: torch.Tensor = super().training_step(*args, **kwargs)
            return loss


def test_the_callback_equals_noise_applied_by_hand(tmp_path: Path) -> None:
    by_callback = train(tmp_path, 0.15)
    by_hand = train(tmp_path, 0.15, by_hand=True)
    assert all(torch.equal(value, by_hand[name]) for name, value in by_callback.items())


def test_restarting_removes_noise_from_an_interrupted_step(tmp_path: Path) -> None:
    model = with_lora(tiny("vit")[0])
    callback = FlatLora(model, sigma=0.15)
    batch = {"pixel_values": torch.stack([image["pixel_values"] for image in images()])}  # type: ignore[misc]
    state = SimpleNamespace(global_step=2, max_steps=4)
    plain = model(**batch).logits
    callback.on_step_begin(None, state, None)
    assert not torch.equal(model(**batch).logits, plain)
    callback.on_train_begin(None, state, None)
    assert torch.equal(model(**batch).logits, plain)


def test_sigma_zero_is_plain_lora(tmp_path: Path) -> None:
    plain, still = train(tmp_path, None), train(tmp_path, 0.0)
    assert all(torch.equal(plain[name], still[name]) for name in plain)


def test_a_two_tower_model_can_be_perturbed() -> None:
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
