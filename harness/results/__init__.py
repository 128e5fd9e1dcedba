"""Read a run: its summary, statistics, curves, leaderboard and tables."""
