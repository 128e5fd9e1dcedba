"""The versions of what decides a run's results and a variant's bytes."""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from holdfast.version import __version__

FOR_RUNS = ("numpy", "torch", "transformers", "tokenizers", "peft", "spacy", "POT", "rouge-score")
FOR_VARIANTS = ("rapidfuzz", "regex", "wordfreq", "nltk", "emoji", "confusable-homoglyphs")


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of Holdfast, Python and those of `packages` that are installed."""
    found = {"holdfast": __version__, "python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
