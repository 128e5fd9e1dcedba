"""Reads the facts of a segment: numbers, dates, names, roles, negations, order of events."""
