"""Time every embedded task and every preset with two adapters of the pocket models, as a user runs them.

    python benchmarks/suites.py [--adapters pocket-steady,pocket-narrow]

Each is a process of its own, with the default settings, in a new directory. The total is wanted in 10 minutes on two
cores.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from holdfast.harness.store.presets import PRESETS
from holdfast.tasks import tasks

RUN = "import sys; from holdfast.harness.cli import main; sys.exit(main(sys.argv[1:]))"
MINUTES = 10


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--adapters", default="pocket-steady,pocket-narrow")
    args = arguments.parse_args()
    print(f"adapters {args.adapters}; {os.cpu_count()} cores")
    print(f"{'':<30}{'answers':>10}{'seconds':>10}{'processor':>11}")
    total = [0.0, 0.0]
    for name, flags in suites():
        with tempfile.TemporaryDirectory() as folder:
            start, used = time.perf_counter(), processor_time()
            command = [sys.executable, "-c", RUN, "run", *flags, "--adapters", args.adapters, "--output_path", folder]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            answers = Path(folder, "samples.jsonl").read_bytes().count(b"\n")
            seconds, busy = time.perf_counter() - start, processor_time() - used
        total[0] += seconds
        total[1] += busy
        print(f"{name:<30}{answers:>10,}{seconds:>10.1f}{busy:>11.1f}", flush=True)
    print(f"{'total':<30}{'':>10}{total[0]:>10.1f}{total[1]:>11.1f}   (at most {MINUTES * 60} seconds wanted)")


def suites() -> Iterator[tuple[str, list[str]]]:
    """Yield what is run: its name, and its flags."""
    for name in tasks.names():
        yield f"task {name}", ["--tasks", name]
    for name in PRESETS:
        yield f"preset {name}", ["--preset", name]


def processor_time() -> float:
    """Return the seconds of processor time of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
