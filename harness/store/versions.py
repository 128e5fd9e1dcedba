"""Versions of the packages that a run's results and its variants depend on."""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from holdfast.version import __version__

FOR_RUNS = ("numpy", "torch", "transformers", "tokenizers", "peft", "spacy", "POT", "rouge-score")
FOR_VARIANTS = ("rapidfuzz", "regex", "wordfreq", "nltk", "emoji", "confusable-homoglyphs")


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Holdfast, Python and the installed ones among `packages`."""
    found = {"holdfast": __version__, "python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
