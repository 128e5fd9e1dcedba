"""The statistics of a check: differences with intervals, planning, several primaries, several looks."""
