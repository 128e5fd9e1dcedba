"""The memory of a process as the kernel counts it: VmRSS is resident now, VmHWM was resident at most."""

from pathlib import Path

COMMAND = """
import sys
from pathlib import Path
from holdfast.harness.cli import main
status = main(sys.argv[1:])
print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
sys.exit(status)
"""
"""Runs `holdfast` with the arguments that follow, and prints the peak memory of its own process as its last line."""


def mebibytes(field: str) -> int:
    """Return a field of this process's status."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in status if line.startswith(field))


def peak_printed(output: str) -> int:
    """Return the peak memory in MiB that `COMMAND` printed."""
    return int(output.split()[-2]) >> 10
