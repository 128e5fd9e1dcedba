"""Reads Princeton WordNet's own files (wndb(5WN)), as installed by nltk or Debian's `wordnet-base` package.

nltk's reader is not used because it needs a file that Debian doesn't ship, refuses folders outside its own path, and
takes seconds to load indices of which a prompt needs a few lines.
"""

import hashlib
import os
import re
import sys
import zipfile
from bisect import bisect_left
from functools import cache
from pathlib import Path

PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
_FILES = (*(name for part in PARTS for name in (f"data.{part}", f"index.{part}", f"{part}.exc")), "cntlist.rev")
_SENSE_KINDS = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}

Folder = Path | zipfile.Path


@cache
def find_wordnet() -> Folder | None:
    """Return the folder (or zip archive) with WordNet's files, or None if WordNet is not installed.

    Searches NLTK_DATA, nltk's default locations, then Debian's.
    """
    homes = [Path(home) for home in os.environ.get("NLTK_DATA", "").split(os.pathsep) if home]
    homes += [Path.home() / "nltk_data"]
    homes += [Path(sys.prefix, *under, "nltk_data") for under in ((), ("share",), ("lib",))]
    homes += [Path("/usr", under, "nltk_data") for under in ("share", "local/share", "lib", "local/lib")]
    for folder in (*(home / "corpora" / "wordnet" for home in homes), Path("/usr/share/wordnet")):
        if (folder / "data.noun").is_file():
            return folder
        if (packed := folder.with_suffix(".zip")).is_file():
            return zipfile.Path(packed, "wordnet/")
    return None


@cache
def version() -> str:
    """Return the version stated in the files and the first 16 digits of the SHA-256 of all files read."""
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update(_bytes(name))
    stated = re.search(rb"WordNet (\d[\d.]*) Copyright", _bytes("data.noun")[:2_000])
    return f"wordnet-{stated[1].decode() if stated else 'unknown'} (sha256 {digest.hexdigest()[:16]})"


@cache
def synsets(word: str, part: str) -> tuple[int, ...]:
    """Return the synsets of `word` as a noun, verb, adj or adv, most frequent sense first."""
    fields = _line(_lines(f"index.{part}"), word).split()
    return tuple(int(offset) for offset in fields[-int(fields[2]) :]) if fields else ()


@cache
def members(offset: int, part: str) -> tuple[str, ...]:
    """Return the words of a synset, without multi-word entries."""
    data = _bytes(f"data.{part}")
    fields = data[offset : data.index(b"\n", offset)].decode("ascii", "ignore").split(" ")
    words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
    return tuple(word.partition("(")[0] for word in words if "_" not in word)


@cache
def counts(word: str, part: str) -> dict[int, int]:
    """Return how often each sense of `word` (1 is the most frequent) occurs in WordNet's tagged texts."""
    key, lines = f"{word}%", _lines("cntlist.rev")
    found: dict[int, int] = {}
    for at in range(bisect_left(lines, key.encode()), len(lines)):
        if not lines[at].startswith(key.encode()):
            break
        sense, number, count = lines[at].decode().split()
        if _SENSE_KINDS[sense[len(key)]] == PARTS[part]:
            found[int(number)] = int(count)
    return found


@cache
def irregular_forms(part: str) -> dict[str, list[str]]:
    """Return the irregular forms of a part of speech, each with its base forms."""
    fields = (line.decode().split() for line in _lines(f"{part}.exc"))
    return {form: bases for form, *bases in fields}


def _line(lines: list[bytes], word: str) -> str:
    key = word.encode() + b" "
    at = bisect_left(lines, key)
    return lines[at].decode() if at < len(lines) and lines[at].startswith(key) else ""


@cache
def _lines(name: str) -> list[bytes]:
    return [line for line in _bytes(name).splitlines() if line and not line.startswith(b" ")]


@cache
def _bytes(name: str) -> bytes:
    folder = find_wordnet()
    return (folder / name).read_bytes() if folder and (folder / name).is_file() else b""
