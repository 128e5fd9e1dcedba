"""Invalid `--adapter_scales`, and scales with nothing to scale."""

from pathlib import Path

import pytest

from holdfast.harness.cli import main
from holdfast.harness.models.checkpoints import find_adapters, find_base, scale_adapters


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        ("-1,x", "adapter_scales.0: scale must be a number >= 0, as in 0,0.5,1, got '-1'"),
        ("-.5", "got '-.5'"),
        ("0.5,x", "adapter_scales.1: scale must be a number >= 0, as in 0,0.5,1, got 'x'"),
        ("inf", "got 'inf'"),
        (",", "adapter_scales: name at least one"),
    ],
)
def test_invalid_scales_are_named(
    scales: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--adapter_scales", scales, "--output_path", str(tmp_path)]) == 1
    assert message in capsys.readouterr().err


def test_scales_without_an_adapter_are_ignored_with_a_warning() -> None:
    base = find_base("pocket-aligned")
    with pytest.warns(UserWarning, match="--adapter_scales is ignored: the base alone has no update to scale"):
        assert scale_adapters([base], [0.5]) == [base]
    assert [each.name for each in scale_adapters(find_adapters(["base", "pocket-steady"], base), [0.5])] == [
        "base",
        "pocket-steady@0.5",
    ]
