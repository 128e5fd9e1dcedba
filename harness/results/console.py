"""The console that texts of models and files are printed on, with styles."""

import errno
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment

from holdfast.errors import printable


class ShownConsole(Console):
    """Standard output: as wide as the terminal, or `width` columns where there is none, so that nothing is cut.

    Texts can come from models and files: what a terminal would obey is escaped.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        if not self.is_terminal:
            self.width = width

    def render(self, *given: Any, **options: Any) -> Iterable[Segment]:
        """Yield the segments of what is printed."""
        for text, style, control in super().render(*given, **options):
            yield Segment(text if control else printable(text, keep="\n"), style, control)

    def on_broken_pipe(self) -> None:
        """Let the command line report that the reader is gone; rich would exit without a word."""
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
