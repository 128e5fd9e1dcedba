"""Runs an evaluation and everything that reads its results: command line, plan, execution, store, statistics."""
