"""One verb of the command line, and how a mistake in its arguments is told."""

import argparse
import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

OWN = frozenset({"verb", "parser", "config", "more", "takes_more"})
"""What parsed arguments hold beside the settings that the user gave."""


def add(verbs: Any, name: str, verb: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    """Add a verb to `verbs` (what argparse's `add_subparsers` returns); its parser, for its arguments.

    `verb` gets the parsed arguments and returns the exit status.
    """
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.set_defaults(verb=verb, parser=parser)
    return parser


class Parser(argparse.ArgumentParser):
    """Tells a mistake in one line, with the parser's epilog, or where help is; takes -1,0.5 for a value and no flag."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._negative_number_matcher = re.compile(r"^-[\d.]")

    def error(self, message: str) -> NoReturn:
        if wrong := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            message += _nearest(wrong[1], re.findall(r"[\w-]+", wrong[2]))
        self.exit(2, f"{self.prog}: {message}; {self.epilog or f'{self.prog} --help lists what there is'}\n")

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Tell which arguments are unknown, and the nearest flag to the first of them."""
        flags = {*re.findall(r"--\w+", self.format_help())}
        self.error(f"unknown {' '.join(unknown)}{_nearest(unknown[0].partition('=')[0], flags)}")


def _nearest(wrong: str, right: Iterable[str]) -> str:
    """What to say of a mistake, if it is near to something right."""
    near = difflib.get_close_matches(wrong, right, n=1)
    return f": did you mean {near[0]}?" if near else ""
