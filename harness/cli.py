"""The command line. Nothing heavy is imported before a verb needs it, so that help is instant."""

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence

from holdfast import __version__
from holdfast.errors import UserError
from holdfast.harness.verbs import adapting, correction, evaluating, reading
from holdfast.harness.verbs.verb import Parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 1 a mistake in the input, 130 an interruption."""
    parser = _parser()
    args, more = parser.parse_known_args(argv)
    if more and not getattr(args, "takes_more", False):
        args.parser.refuse(more)
    args.more = more
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode still gets its table
    # Threads that spin while they wait slow a small model tenfold as soon as anything else uses the cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        return int(args.verb(args))
    except UserError as error:
        print(f"holdfast: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("holdfast: interrupted (a run goes on where it was when given the same command again)", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # or Python complains once more, at exit, that the reader (head, less) has gone
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="holdfast",
        description="Does your LoRA adapter hold fast when the prompt is disturbed?",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    for kind in (evaluating, reading, adapting, correction):
        kind.add_verbs(verbs)
    return parser


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"holdfast: WARNING: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
