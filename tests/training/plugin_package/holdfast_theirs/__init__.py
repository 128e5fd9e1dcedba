"""Three third-party methods: an objective, a noise and a correction, one file each."""
