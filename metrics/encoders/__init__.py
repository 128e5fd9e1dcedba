"""Sentence encoders, one per file: texts in, unit vectors out."""
