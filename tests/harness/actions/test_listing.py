"""`holdfast ls` keeps the list of built-ins between calls, and never shows an old one."""

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from holdfast.harness.cli import main
main(["ls"])
print("IMPORTED", "holdfast.perturbations" in sys.modules)
"""


def ls(cache: Path, *path: Path) -> tuple[str, bool]:
    """What it prints, and whether it had to import what it lists."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": os.pathsep.join(map(str, path))}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environment, check=True)
    printed, _, imported = done.stdout.rpartition("IMPORTED ")
    return printed, imported == "True\n"


def test_a_second_call_imports_nothing_and_prints_the_same(tmp_path: Path) -> None:
    printed, imported = ls(tmp_path)
    assert imported
    assert "  typos " in printed
    assert ls(tmp_path) == (printed, False)


def test_a_damaged_list_is_made_again(tmp_path: Path) -> None:
    printed, _ = ls(tmp_path)
    for damage in ("{", "[]", '{"stamp": 1}'):
        (tmp_path / "holdfast" / "listing.json").write_text(damage)
        assert ls(tmp_path) == (printed, True)


def test_the_list_is_shown_without_a_writable_cache(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert ls(tmp_path / "file")[1]


def test_a_newly_installed_plug_in_is_seen(tmp_path: Path) -> None:
    ls(tmp_path)
    site = tmp_path / "site"
    info = site / "late-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[holdfast_tasks]\nlate_task = late\n")
    (site / "late.py").write_text("broken")
    for _ in range(2):  # with other packages' plug-ins the list is never kept
        printed, imported = ls(tmp_path, site)
        assert imported
        assert "plug-in 'late_task' of late can't be imported" in printed
