"""The training loop: batches in, transformers' Trainer with two places opened."""
