"""The command line. Nothing heavy is imported before a verb needs it, so that help is instant."""

import errno
import io
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress

from holdfast.errors import UserError, first_line, printable
from holdfast.harness.verbs import VERBS
from holdfast.harness.verbs.parser import Parser, nearest
from holdfast.version import __version__

DESCRIPTION = "Does your LoRA adapter hold fast when the prompt is perturbed?"
HELP = ("-h", "--help", "help")
TRACEBACK = "HOLDFAST_TRACEBACK"
"""The environment variable that shows the traceback of an internal error."""

BUGS = "https://github.com/holdfast-eval/holdfast/issues"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 for success, 1 for a mistake in the input or a failure, 130 for an interruption; `check` has further ones. A
        mistake in the arguments exits with 2.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    failed = next((verb.mistake for group in VERBS.values() for verb in group if words[:1] == [verb.name]), 1)
    try:
        try:
            return _run(words)
        finally:
            _flush()
    except UserError as error:
        _report(str(error))
        return error.status or failed
    except KeyboardInterrupt:
        _report("interrupted (the same command resumes a run where it stopped)")
        return 130
    except OSError as error:
        _report(_failed(error))
    except MemoryError:
        _report("out of memory: use a smaller input, --limit or --batch_size")
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        _report(
            f"internal error ({type(error).__name__}: {first_line(error)}): please report it at {BUGS} with the "
            f"command; {TRACEBACK}=1 shows where it happened"
        )
    return failed


def _run(words: list[str]) -> int:
    if not words or words[0] in HELP:
        print(_help())
        return 0
    if words[0] == "--version":
        print(f"holdfast {__version__}")
        return 0
    _prepare_process()
    run, args = _parser(words[0]).parse(words[1:])
    return run(args)


def _report(message: str) -> None:
    """Print one line to standard error, if anybody still reads it."""
    with suppress(OSError, ValueError):
        print(f"holdfast: {printable(message)}", file=sys.stderr, flush=True)


def _flush() -> None:
    """Write what was printed; raise UserError if it can't be, because the reader is gone or the disk is full."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries again at exit, and complains
        raise UserError(f"can't write to standard output: {error.strerror}") from None


def _failed(error: OSError) -> str:
    """Describe what the system refused, and for which file; without one it was what is printed."""
    if error.errno in (errno.EPIPE, errno.ENOSPC, errno.EFBIG, errno.EDQUOT) and not error.filename:
        return f"can't write to standard output: {error.strerror}"
    return f"{error.strerror or error}{f': {error.filename!r}' if error.filename else ''}"


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
    _report(f"WARNING: {message}")


if __name__ == "__main__":
    sys.exit(main())
