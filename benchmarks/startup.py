"""Measure how long a user waits for help and lists: median wall time of whole processes.

python benchmarks/startup.py [--repeats 15]
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = (("--help", 0.15), ("ls", 0.30), ("run --help", 0.15))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeats", type=int, default=15)
    args = arguments.parse_args()
    holdfast = Path(sys.executable).with_name("holdfast")
    print(f"{'command':<24} {'median':>8} {'at most':>8}")
    for command, limit in COMMANDS:
        seconds = statistics.median(timed([str(holdfast), *command.split()]) for _ in range(args.repeats))
        print(f"{'holdfast ' + command:<24} {seconds:7.3f}s {limit:7.2f}s")
    print(f"{'python -c pass':<24} {statistics.median(timed([sys.executable, '-c', 'pass']) for _ in range(15)):7.3f}s")


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
