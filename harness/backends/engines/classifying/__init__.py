"""Sequence classifiers for the backend `hf`."""
