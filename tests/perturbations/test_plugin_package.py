"""A third-party package registers a perturbation through its entry point."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "plugin_package"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as an installer lays it out: its module and the metadata with the entry point."""
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    shutil.copy(PACKAGE / "holdfast_shouting.py", site)
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {module}" for name, module in entries.items())])
        for group, entries in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
    return site


def run(site: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_plugin_is_listed_without_being_imported(site: Path) -> None:
    assert "shouting" in run(site, "-m", "holdfast.harness.cli", "ls", "perturbations").split()
    code = "import sys; from holdfast.perturbations import perturbations as p; print('shouting' in p.names(), 'holdfast_shouting' in sys.modules)"
    assert run(site, "-c", code) == "True False\n"


def test_a_plugin_works_alone_and_in_a_composition(site: Path) -> None:
    code = """
from holdfast.perturbations import make_variant
given = dict(task="t", sample_id="1", severity="1.0", repeat=0, seed=0)
print(make_variant("tell me 'why' now", perturbation="shouting", **given).text)
print(make_variant("tell me 'why' now", perturbation="shouting+fullwidth", **given).text)
"""
    assert run(site, "-c", code).splitlines() == ["TELL ME 'why' NOW", "ＴＥＬＬ ＭＥ 'why' ＮＯＷ"]


def test_a_plugin_passes_the_conformance_check(site: Path) -> None:
    code = (
        "from holdfast.perturbations.testing import check_perturbation; check_perturbation('shouting', max_examples=20)"
    )
    run(site, "-c", code)
