"""The pair of checkpoints that the tests of corrections share."""

import pytest

from holdfast.harness.actions.subspaces import make_subspace
from tests.harness.actions.pairs import Setting, saved_pair


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    folder = tmp_path_factory.mktemp("pair")
    base, aligned = saved_pair(folder)
    make_subspace(str(base), str(aligned), folder / "s.safetensors", rank=6)
    return aligned, folder / "s.safetensors"
