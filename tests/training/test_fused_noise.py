"""The Triton kernel of weight noise, run in Triton's interpreter, which needs no GPU."""

import subprocess
import sys

import pytest

pytest.importorskip("triton")

_CHECKS = {
    "each row's noise is normal with the row's scale": """
        z = (noisy_weight(weight, std, 5, torch.float32) - weight) / std[:, None]
        assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02 and abs((z**4).mean() - 3) < 0.2
        assert torch.unique(z).numel() > 0.99 * z.numel()
    """,
    "the same key gives the same bits in any memory layout": """
        one = noisy_weight(weight, std, 2**62 + 5, torch.float32)
        other = noisy_weight(weight.T.contiguous().T, std, 2**62 + 5, torch.float32)
        assert torch.equal(one, other)
    """,
    "all bits of the key affect the noise": """
        keys = 7, 8, 7 + 2**40
        drawn = [noisy_weight(weight, std, key, torch.float32) for key in keys]
        assert not torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
    """,
    "the sum is rounded once": """
        exact = noisy_weight(weight, std, 5, torch.float32)
        assert torch.equal(noisy_weight(weight, std, 5, torch.float16), exact.half())
    """,
}


@pytest.mark.parametrize("name", _CHECKS)
def test_the_kernel(name: str) -> None:
    lines = [
        "import os",
        "os.environ['TRITON_INTERPRET'] = '1'",
        "import torch",
        "from holdfast.training.noise.weights.fused import noisy_weight",
        "torch.manual_seed(0)",
        "weight, std = torch.randn(300, 257), torch.linspace(0.5, 2, 300)",
        *(line.strip() for line in _CHECKS[name].strip().splitlines()),
    ]
    assert subprocess.run([sys.executable, "-c", "\n".join(lines)]).returncode == 0
