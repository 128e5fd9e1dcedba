"""The perturbations, one file per family; every module here registers what it holds."""
