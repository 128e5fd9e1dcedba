"""May a candidate adapter replace the baseline? From two adapters' answers to a verdict."""
