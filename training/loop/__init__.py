"""The training loop: batches, and transformers' Trainer extended by objectives and weight noise."""
