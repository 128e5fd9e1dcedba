"""Synonyms come from the embedded table, with or without WordNet on this machine; caches stay out of the user's home."""

import os
import tempfile

os.environ["HOLDFAST_THESAURUS"] = "embedded"
os.environ.setdefault("XDG_CACHE_HOME", tempfile.mkdtemp(prefix="holdfast-tests-"))
