"""The mathematics behind the objectives: segment drift, adapter stability, divergence of predictions."""
