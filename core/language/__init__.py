"""Text and language utilities shared by perturbations and metrics: segmentation, language detection and lexicons."""
