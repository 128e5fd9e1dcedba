"""Measures of an adapter's weights: norms and ranks, sharpness, PAC-Bayes, attention."""
