"""Noise on the weights around forward and backward passes. Every module here registers its methods."""
