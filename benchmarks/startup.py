"""Measure how long a user waits for help and lists: median wall time of whole processes.

python benchmarks/startup.py [--repeats 15]
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = (
    ("holdfast --help", 3.0),
    ("holdfast ls", 9.0),
    ("holdfast run --help", 3.0),
    ("python -c import holdfast", 3.0),
)
"""Each with the largest multiple of `python -c pass` that we accept."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeats", type=int, default=15)
    args = arguments.parse_args()
    base = median([sys.executable, "-c", "pass"], args.repeats)
    print(f"{'command':<28} {'median':>8} {'multiple':>9} {'at most':>8}")
    print(f"{'python -c pass':<28} {base:7.3f}s {1:9.1f}")
    for command, limit in COMMANDS:
        program, *words = command.split(maxsplit=2) if command.startswith("python") else command.split()
        seconds = median([str(Path(sys.executable).with_name(program)), *words], args.repeats)
        print(f"{command:<28} {seconds:7.3f}s {seconds / base:9.1f} {limit:8.1f}")


def median(command: list[str], repeats: int) -> float:
    """Median seconds of a command, after one call that fills caches."""
    timed(command)
    return statistics.median(timed(command) for _ in range(repeats))


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
