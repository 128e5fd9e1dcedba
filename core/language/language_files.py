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
                  cases: а/у /а         endings of who acts and of whom it is done to, where nouns show it
                  participles: ado ida  endings of what stands before "by" in a passive; where none are named, any does
                  concord: yes          several negative words negate once
                  script: Han           the script, where it belongs to this language before others (Unicode's name)
                  unspaced: yes         words are not set apart
    [words]       job: words            the jobs of `lexicon/words.txt`: small, not, all, only, adds, ...
    [phrases]     two words = meaning   as in `lexicon/phrases.txt`
    [numbers]     3: drei               as in `lexicon/numbers.txt`; "_" joins words that are written apart
    [units]       min 60: stunde        as in `lexicon/units.txt`
    [calendar]    month 1: januar       as in `lexicon/calendar.txt`
    [antonym]     offen | geschlossen   words that exclude each other; [comparison] for those that compare
    [converse]    kaufen | verkaufen    words that say the same where who acts is the other one
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

import regex

from holdfast.errors import UserError, first_line

SETTING = "HOLDFAST_LANGUAGES"
"""The environment variable that names a folder of further language files."""

SECTIONS = frozenset(
    "settings words phrases numbers units calendar antonym comparison converse synonyms names".split(),
)

SETTINGS = frozenset(
    "decimal endings prefixes elided joiner capitals cases participles concord script unspaced".split()
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
    """The languages that have a file, by code. Raises UserError for a file that can't be read, and for a
    line in one that says nothing."""
    found = {}
    for entry in (files("holdfast.language") / "data").iterdir():
        if entry.name.startswith("language_"):
            code = entry.name.removeprefix("language_").removesuffix(".txt")
            found[code] = _parsed(code, entry.read_text("utf-8"), entry.name)
    if folder := os.environ.get(SETTING):
        if not Path(folder).is_dir():
            raise UserError(f"{SETTING} is '{folder}', which is no folder of language files")
        for path in sorted(Path(folder).glob("*.txt")):
            try:
                text = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(f"{path} can't be read as UTF-8 text: {first_line(error)}") from None
            found[path.stem] = _parsed(path.stem, text, str(path))
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
            if wrong := _wrong(section, line.strip()):
                raise UserError(f"{where}, line {number}: {wrong}")
            sections.setdefault(section, []).append(line.strip())
    return LanguageFile(code, {name: tuple(lines) for name, lines in sections.items()})


def _wrong(section: str, line: str) -> str:
    """What is wrong with a line of a section; "" for nothing."""
    if section == "phrases":
        phrase, mark, _ = line.partition("=")
        return "" if mark and len(phrase.split()) > 1 else "a phrase is two or more words = meaning"
    if section in ("antonym", "comparison", "converse"):
        sides = line.split("|")
        return "" if len(sides) > 1 and all(map(str.strip, sides)) else "use words | words that exclude them"
    if section in ("synonyms", "names"):
        return ""
    head, mark, words = line.partition(":")
    if not mark or not head.strip() or not words.strip():
        return f"a line of [{section}] is a head, a colon and what belongs to it"
    if section == "settings":
        return _wrong_setting(head.strip(), words.strip())
    parts = head.split()
    if section == "units" and not (len(parts) == 2 and _is_number(parts[1])):
        return f"'{head}': a unit has a base unit and a factor, as in min 60"
    if section == "numbers" and not (len(parts) in (1, 2) and _is_number(parts[-1])):
        return f"'{head}': a number has a value, after its kind if it has one, as in 3 or scale 100"
    if section == "calendar" and len(parts) != 2:
        return f"'{head}': a day or a month has a kind and a value, as in month 1"
    return ""


def _wrong_setting(name: str, value: str) -> str:
    if name not in SETTINGS:
        return f"unknown setting '{name}'; use {', '.join(sorted(SETTINGS))}"
    if name == "script":
        try:
            regex.compile(rf"(?P<{value}>\p{{Script={value}}})")
        except regex.error:
            return f"'{value}' is no script of Unicode"
    return ""


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False
