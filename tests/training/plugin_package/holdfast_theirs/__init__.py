"""Three methods from outside of Holdfast: an objective, a noise and a correction, one file each."""
