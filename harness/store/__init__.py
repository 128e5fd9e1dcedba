"""The files of a run: configuration, records, manifest and embeddings; also its progress bar and versions."""
