"""One verb of the command line."""

import argparse
from collections.abc import Callable
from typing import Any


def add(verbs: Any, name: str, verb: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    """Add a verb to `verbs` (what argparse's `add_subparsers` returns); its parser, for its arguments.

    `verb` gets the parsed arguments and returns the exit status.
    """
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.set_defaults(verb=verb)
    return parser
