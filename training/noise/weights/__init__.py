"""Perturbing weights during a training step: noise added inside layers, and ascent to a worse point."""
