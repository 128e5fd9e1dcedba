"""Language files, which describe a language's words, numbers, units and contrasts.

To add a language, add a file: `data/language_CODE.txt` here, or `CODE.txt` in the folder named by the environment
variable HOLDFAST_LANGUAGES. Lines that start with "#" are comments. Section names are in brackets; every section is
optional. `data/language_de.txt` is a complete example.

    [settings]    decimal: ,            the decimal mark (default ".")
                  endings: ern en e     inflectional endings, stripped to compare words
                  prefixes: ال و        particles written together with the following word
                  elided: l d qu        words that lose their vowel before an apostrophe
                  joiner: und           the word "and" inside numbers written as one word
                  capitals: nouns       all nouns are capitalised, so a capital doesn't mark a name
                  cases: а/у /а         noun endings of agent and patient, if nouns show case
                  participles: ado ida  endings of the participle before the agent of a passive; default: any
                  concord: yes          several negative words count as one negation
                  script: Han           the Unicode script that this language claims when several share it
                  unspaced: yes         no spaces between words
    [words]       job: words            the jobs in `data/words.txt`: small, not, all, only, adds, ...
    [phrases]     two words = meaning   as in `data/phrases.txt`
    [numbers]     3: drei               as in `data/numbers.txt`; "_" joins the words of a multi-word number
    [units]       min 60: stunde        as in `data/units.txt`
    [calendar]    month 1: januar       as in `data/calendar.txt`
    [antonym]     offen | geschlossen   words that exclude each other; [comparison] for comparatives
    [converse]    kaufen | verkaufen    words that mean the same with the roles swapped
    [synonyms]    kaufen erwerben       interchangeable words, one group per line
    [names]       anna berlin           words that are names even at the start of a sentence
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import regex

from holdfast.errors import UserError
from holdfast.reading import read_text

SETTING = "HOLDFAST_LANGUAGES"
"""The environment variable that names a folder of additional language files."""

SECTIONS = frozenset(
    "settings words phrases numbers units calendar antonym comparison converse synonyms names".split(),
)

SETTINGS = frozenset(
    "decimal endings prefixes elided joiner capitals cases participles concord script unspaced".split()
)


@dataclass(frozen=True, slots=True)
class LanguageFile:
    """The lines of a language file by section."""

    code: str
    sections: Mapping[str, tuple[str, ...]]

    def lines(self, section: str) -> tuple[str, ...]:
        """Return the lines of a section; empty if the file doesn't have it."""
        return self.sections.get(section, ())

    def rows(self, section: str) -> Iterator[tuple[str, str]]:
        """Yield the `head: words` rows of a section."""
        for line in self.lines(section):
            head, _, words = line.partition(":")
            yield head.strip(), words.strip()

    def setting(self, name: str) -> str:
        """Return the value of a setting, or "" if it is not set."""
        return dict(self.rows("settings")).get(name, "")


@cache
def language_files() -> Mapping[str, LanguageFile]:
    """Return all languages that have a file, by code.

    Raises:
        UserError: If HOLDFAST_LANGUAGES is not a folder, or a file is not UTF-8 or has an invalid line.
    """
    found = {}
    for entry in (files("holdfast.language") / "data").iterdir():
        if entry.name.startswith("language_"):
            code = entry.name.removeprefix("language_").removesuffix(".txt")
            found[code] = _parsed(code, entry.read_text("utf-8"), entry.name)
    if folder := os.environ.get(SETTING):
        if not Path(folder).is_dir():
            raise UserError(f"{SETTING} is '{folder}', which is not a folder; set it to a folder of language files")
        for path in sorted(Path(folder).glob("*.txt")):
            found[path.stem] = _parsed(path.stem, read_text(path, "language file"), str(path))
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
            raise UserError(f"{where}, line {number}: not in a section; start with a section header such as [words]")
        else:
            if wrong := _wrong(section, line.strip()):
                raise UserError(f"{where}, line {number}: {wrong}")
            sections.setdefault(section, []).append(line.strip())
    return LanguageFile(code, {name: tuple(lines) for name, lines in sections.items()})


def _wrong(section: str, line: str) -> str:
    """Return what is wrong with a line of a section, or "" if it is valid."""
    if section == "phrases":
        phrase, mark, _ = line.partition("=")
        return "" if mark and len(phrase.split()) > 1 else "expected a phrase of two or more words = its meaning"
    if section in ("antonym", "comparison", "converse"):
        sides = line.split("|")
        return "" if len(sides) > 1 and all(map(str.strip, sides)) else "expected words | words that exclude them"
    if section in ("synonyms", "names"):
        return ""
    head, mark, words = line.partition(":")
    if not mark or not head.strip() or not words.strip():
        return f"expected 'head: words' in [{section}]"
    if section == "settings":
        return _wrong_setting(head.strip(), words.strip())
    parts = head.split()
    if section == "units" and not (len(parts) == 2 and _is_number(parts[1])):
        return f"'{head}': expected a base unit and a factor, as in min 60"
    if section == "numbers" and not (len(parts) in (1, 2) and _is_number(parts[-1])):
        return f"'{head}': expected a number, optionally after its kind, as in 3 or scale 100"
    if section == "calendar" and len(parts) != 2:
        return f"'{head}': expected a kind and a value, as in month 1"
    return ""


def _wrong_setting(name: str, value: str) -> str:
    if name not in SETTINGS:
        return f"unknown setting '{name}'; use {', '.join(sorted(SETTINGS))}"
    if name == "script":
        if not value.isidentifier():
            return f"unknown Unicode script '{value}'"
        try:
            regex.compile(rf"(?P<{value}>\p{{Script={value}}})")
        except (regex.error, OverflowError):
            return f"unknown Unicode script '{value}'"
    return ""


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False
