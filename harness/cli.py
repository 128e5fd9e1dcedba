"""The command line. Nothing heavy is imported before a verb needs it, so that help is instant."""

import io
import os
import sys
import warnings
from collections.abc import Sequence

from holdfast.errors import UserError
from holdfast.harness.verbs import VERBS
from holdfast.harness.verbs.parser import Parser, nearest
from holdfast.version import __version__

DESCRIPTION = "Does your LoRA adapter hold fast when the prompt is perturbed?"
HELP = ("-h", "--help", "help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 for success, 1 for a mistake in the input, 130 for an interruption. A mistake in the arguments exits with 2.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in HELP:
        print(_help())
        return 0
    if words[0] == "--version":
        print(f"holdfast {__version__}")
        return 0
    _prepare_process()
    run, args = _parser(words[0]).parse(words[1:])
    try:
        return run(args)
    except UserError as error:
        print(f"holdfast: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("holdfast: interrupted (the same command resumes a run where it stopped)", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # or Python complains again at exit that the reader (head, less) is gone
        return 0


def _help() -> str:
    lines = ["usage: holdfast COMMAND ...", "", DESCRIPTION]
    for group, verbs in VERBS.items():
        lines += ["", f"{group}:", *(f"  {verb.name:<13}{verb.summary}" for verb in verbs)]
    lines += ["", "holdfast COMMAND --help describes a command, holdfast --version prints the version."]
    return "\n".join(lines)


def _parser(name: str) -> Parser:
    verbs = {verb.name: verb for group in VERBS.values() for verb in group}
    if name not in verbs:
        parser = Parser(prog="holdfast")
        parser.hint = "holdfast --help lists all commands"
        parser.error(f"unknown command '{name}'{nearest(name, verbs)}")
    return verbs[name].parser()


def _prepare_process() -> None:
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode still gets its table
    # Threads that spin while they wait slow a small model tenfold as soon as anything else uses the cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"holdfast: WARNING: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
