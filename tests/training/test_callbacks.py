"""Flat-LoRA in a Trainer of one's own, on an image classifier."""

from pathlib import Path

import torch
from transformers import Trainer, TrainingArguments

from holdfast.training.loop.callbacks import FlatLora
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
