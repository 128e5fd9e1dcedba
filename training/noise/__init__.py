"""Noise on the weights during forward and backward passes. Every module here registers its methods."""
