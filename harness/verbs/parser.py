"""The parser of a verb: how flags may be spelled, and how mistakes are reported."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from holdfast.errors import printable

OUTPUT = {"--out": "--output_path", "--output_dir": "--output_path", "--output": "--output_path"}
"""Other spellings of where results go."""

Flag = tuple[str, str, str]
"""A flag, its metavar and its help text."""


class Parser(argparse.ArgumentParser):
    """The parser of one verb.

    Flags may be written with hyphens or underscores, and by other spellings (`spellings`) that help doesn't show. A
    mistake is one line that ends with `hint`. -1,0.5 is a value, not a flag.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **settings)
        self.spellings: dict[str, str] = dict(OUTPUT)
        self.hint = f"{self.prog} --help lists all flags"
        self.takes_more = False
        self._describe: Callable[[], str] | None = None
        self._negative_number_matcher = re.compile(r"^-[\d.]")

    def start(self, run: Callable[[argparse.Namespace], int]) -> None:
        """Set the function that the verb runs; it gets the parsed arguments and returns the exit status."""
        self.set_defaults(run_verb=run)

    def add_flags(self, group: str, flags: Iterable[Flag], **options: Any) -> None:
        """Add flags under a heading; those that are not given are left out of the parsed arguments."""
        arguments = self.add_argument_group(group)
        for flag, metavar, text in flags:
            arguments.add_argument(flag, metavar=metavar, help=text, default=argparse.SUPPRESS, **options)

    def add_switches(self, group: str, switches: Iterable[tuple[str, str]]) -> None:
        """Add flags without a value under a heading."""
        arguments = next((each for each in self._action_groups if each.title == group), None)
        for flag, text in switches:
            (arguments or self).add_argument(flag, action="store_true", help=text, default=argparse.SUPPRESS)

    def describe_later(self, describe: Callable[[], str]) -> None:
        """Set the end of the help text, which is only made when help is asked for."""
        self._describe = describe

    def format_help(self) -> str:
        """Return the help text, with what `describe_later` adds."""
        if self._describe:
            self.epilog = self._describe()
        return super().format_help()

    def parse(self, argv: Sequence[str]) -> tuple[Callable[[argparse.Namespace], int], argparse.Namespace]:
        """Parse the arguments behind the verb.

        Returns:
            The function to run, and its arguments; `more` holds unknown ones for verbs that take them.
        """
        self._check_spellings(argv)
        found, more = self.parse_known_args([self._spelled(word) for word in argv])
        if more and not self.takes_more:
            self.refuse(more)
        run = found.run_verb
        del found.run_verb
        found.more = more
        found.parser = self
        return run, found

    def error(self, message: str) -> NoReturn:
        """Report a mistake in one line and exit with status 2."""
        if wrong := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            message += nearest(wrong[1], re.findall(r"[\w.-]+", wrong[2]))
        self.exit(2, f"{printable(f'{self.prog}: {message}; {self.hint}')}\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print; argparse's own would ignore that nothing can be written."""
        if message:
            print(message, end="", file=file or sys.stderr)

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Report unknown arguments, with the flag nearest to the first of them."""
        self.error(f"unknown {' '.join(unknown)}{nearest(unknown[0].partition('=')[0], self.flags())}")

    def flags(self) -> set[str]:
        """Return all flags, as help spells them."""
        return {flag for flag in self._option_string_actions if flag.startswith("--")}

    def _check_spellings(self, argv: Sequence[str]) -> None:
        """Refuse a flag that is given under two names, one of which would be ignored."""
        names: dict[str, str] = {}
        for word in argv:
            given, flag = ("--" + word.partition("=")[0][2:].replace("-", "_"), self._spelled(word).partition("=")[0])
            if flag.startswith("--") and names.setdefault(flag, given) != given:
                self.error(f"{flag} is given twice, as {names[flag]} and as {given}: leave one of them out")

    def _spelled(self, word: str) -> str:
        """A flag as this parser spells it; other words as they are."""
        if not re.match(r"--[A-Za-z]", word):
            return word
        flag, equals, value = word.partition("=")
        flag = "--" + flag[2:].replace("-", "_")
        return self.spellings.get(flag, flag) + equals + value


def settings_of(args: argparse.Namespace, *others: str) -> dict[str, Any]:
    """Return the settings that the user gave: all arguments but those of the parser and `others`."""
    return {name: value for name, value in vars(args).items() if name not in {"more", "parser", *others}}


def aliases(canonical: str, *others: str) -> Mapping[str, str]:
    """Return other spellings of a flag, for `Parser.spellings`."""
    return dict.fromkeys(others, canonical)


def nearest(wrong: str, right: Iterable[str]) -> str:
    """Return the end of a message about a mistyped word; empty if nothing is near."""
    import difflib

    near = difflib.get_close_matches(wrong, right, n=1)
    return f": did you mean {near[0]}?" if near else ""
