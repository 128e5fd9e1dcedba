"""The names of the numbers that measure a drift."""

DRIFTS = (
    "max_drift",
    "max_conflict",
    "break_drift",
    "tail_drift",
    "mean_drift",
    "global_drift",
    "hidden_drift",
    "lost_mass",
    "added_mass",
)
"""Each in [0, 1], 0 for identical answers; see `holdfast.metrics.drift.Drift`."""
