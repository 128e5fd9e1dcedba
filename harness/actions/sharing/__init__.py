"""What a run hands on: exports and cards."""
