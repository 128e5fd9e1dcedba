"""Keys of lm-eval's task files, which do here what they do there."""
