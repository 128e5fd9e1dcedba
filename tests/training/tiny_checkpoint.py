"""Tiny checkpoints on disk, for tests that train through the public functions."""

from pathlib import Path

from transformers import AutoTokenizer

from holdfast.harness.models.checkpoints import find_checkpoint
from tests.training.models import tiny


def save_tiny_model(kind: str, folder: Path) -> Path:
    """Save a tiny model of this kind with the pocket models' tokenizer, without its chat template."""
    tokenizer = AutoTokenizer.from_pretrained(find_checkpoint("pocket-aligned"))
    tokenizer.chat_template = None
    tokenizer.save_pretrained(folder)
    model, _ = tiny(kind)
    model.resize_token_embeddings(len(tokenizer))
    model.config.max_position_embeddings = 512
    model.save_pretrained(folder)
    return folder
