"""Languages that one file each describes: what its words do, how it counts, what excludes what.

A language is added by a file alone: `data/language_CODE.txt` here, or `CODE.txt` in the folder that the environment
variable HOLDFAST_LANGUAGES names. Lines that begin with "#" are comments; sections stand in brackets, all may be left
out. `data/language_de.txt` is an example of each:

    [settings]    decimal: ,            the decimal mark (default ".")
                  endings: ern en e     what inflection adds, longest first; cut off to compare words
                  prefixes: ال و        what is written together with the word that follows
                  elided: l d qu        words that lose their vowel before an apostrophe
                  joiner: und           what stands inside numbers written as one word
                  capitals: nouns       all nouns are capitalised, so a capital makes no name
                  concord: yes          several negative words negate once
                  script: Han           the script, where it belongs to this language before others
                  unspaced: yes         words are not set apart
    [words]       job: words            the jobs of `facts/data/words.txt`: small, not, all, only, ...
    [phrases]     two words = meaning   as in `facts/data/phrases.txt`
    [numbers]     3: drei               as in `facts/data/numbers.txt`; "_" joins words that are written apart
    [units]       min 60: stunde        as in `facts/data/units.txt`
    [calendar]    month 1: januar       as in `facts/data/calendar.txt`
    [antonym]     offen | geschlossen   words that exclude each other; [comparison] for those that compare
    [synonyms]    kaufen erwerben       words that may stand for each other, one group a line
    [names]       anna berlin           names that are names even where they open a sentence
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from holdfast.errors import UserError

SETTING = "HOLDFAST_LANGUAGES"
"""The environment variable that names a folder of further language files."""

SECTIONS = frozenset(
    "settings words phrases numbers units calendar antonym comparison synonyms names".split(),
)


@dataclass(frozen=True, slots=True)
class LanguageFile:
    """The lines of each section of a language's file."""

    code: str
    sections: Mapping[str, tuple[str, ...]]

    def lines(self, section: str) -> tuple[str, ...]:
        """The lines of a section; none where it is left out."""
        return self.sections.get(section, ())

    def rows(self, section: str) -> Iterator[tuple[str, str]]:
        """The `head: words` rows of a section."""
        for line in self.lines(section):
            head, _, words = line.partition(":")
            yield head.strip(), words.strip()

    def setting(self, name: str) -> str:
        """A setting's value, "" where it is not set."""
        return dict(self.rows("settings")).get(name, "")


@cache
def language_files() -> Mapping[str, LanguageFile]:
    """The languages that have a file, by code. Raises UserError for a file that can't be read."""
    found = {}
    for entry in (files("holdfast.metrics") / "data").iterdir():
        if entry.name.startswith("language_"):
            code = entry.name.removeprefix("language_").removesuffix(".txt")
            found[code] = _parsed(code, entry.read_text("utf-8"), entry.name)
    if folder := os.environ.get(SETTING):
        if not Path(folder).is_dir():
            raise UserError(f"{SETTING} is '{folder}', which is no folder of language files")
        for path in sorted(Path(folder).glob("*.txt")):
            found[path.stem] = _parsed(path.stem, path.read_text("utf-8"), str(path))
    return found


def _parsed(code: str, text: str, where: str) -> LanguageFile:
    sections: dict[str, list[str]] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line.strip().strip("[]")
            if section not in SECTIONS:
                raise UserError(
                    f"{where}, line {number}: unknown section '{section}'; use {', '.join(sorted(SECTIONS))}"
                )
        elif not section:
            raise UserError(f"{where}, line {number}: a line before the first section, such as [words]")
        else:
            sections.setdefault(section, []).append(line.strip())
    return LanguageFile(code, {name: tuple(lines) for name, lines in sections.items()})
