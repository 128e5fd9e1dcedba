"""Execute a run: generate answers and score them, on one machine or on a Ray cluster."""
