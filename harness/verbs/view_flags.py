"""The flags of verbs that print tables of results: how much, which columns, in which order and format."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.harness.verbs.parser import Parser

if TYPE_CHECKING:
    from holdfast.harness.results.layout.view import View

VIEW = ("table", "columns", "sort", "format")
"""The names of the flags."""


def add_view_flags(parser: Parser, formats: Sequence[str]) -> None:
    """Add the flags."""
    group = parser.add_argument_group("table")

    def add(flag: str, text: str, **options: object) -> None:
        group.add_argument(flag, help=text, default=argparse.SUPPRESS, **options)  # type: ignore[arg-type]

    amounts = ("short", "full", "wide")
    add("--table", "short: the worst cells (default); full: all; wide: all columns too", choices=amounts)
    add("--columns", "the columns to print, by their names in the CSV files", metavar="C,...")
    add("--sort", "the column that ranks the adapters, best first (default: perturbed)", metavar="COLUMN")
    add("--format", "what the tables are printed as (default: text)", choices=formats)


def view_of(args: argparse.Namespace) -> "View":
    """Return what the flags ask for; raises UserError for an unknown column."""
    from holdfast.harness.results.layout.view import make_view

    return make_view(**{name: getattr(args, name) for name in VIEW if name in args})
