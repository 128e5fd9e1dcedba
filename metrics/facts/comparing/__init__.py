"""Compares the facts of two groups of segments, one kind of fact per file."""
