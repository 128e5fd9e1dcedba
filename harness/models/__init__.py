"""Base models and adapters: locate their files, read them, and check that they fit together."""
