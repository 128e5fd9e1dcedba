"""Sentence encoders: text in, unit vectors out; one file per encoder."""
