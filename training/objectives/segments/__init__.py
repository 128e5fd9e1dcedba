"""The mathematics of the objectives: segment drift, adapter stability, divergence of predictions."""
