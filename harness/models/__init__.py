"""Base models and adapters as files and values: where they are, what is in them, whether they fit."""
