"""Compare what two groups of segments state, one kind of fact per file."""
