"""The results of a run: summary, statistics, curves, leaderboard and printed tables."""
