"""Synonyms come from the embedded table here, whether this machine has WordNet's files or not."""

import os

os.environ["HOLDFAST_THESAURUS"] = "embedded"
