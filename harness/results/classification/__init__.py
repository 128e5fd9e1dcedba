"""Results of classifications: F1, confusion, calibration, changed labels, and where most errors are."""
