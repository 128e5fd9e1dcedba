"""Read the facts of a segment: numbers, dates, names, roles, negation, order of events."""
