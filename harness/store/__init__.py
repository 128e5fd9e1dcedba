"""What is on disk: configuration, records, manifest, embeddings, progress, versions."""
