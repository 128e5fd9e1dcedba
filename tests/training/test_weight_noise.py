"""Flat-LoRA's noise: its distribution, its schedule, and that the base weights never change; SAM's step."""

import math
import subprocess
import sys

import pytest
import torch
from scipy.stats import kstest
from torch import nn

from holdfast.errors import UserError
from holdfast.training.noise.weights.ascent import ascended
from holdfast.training.noise.weights.layers import adapted_layers
from holdfast.training.noise.weights.normals import normals
from holdfast.training.noise.weights.weight_noise import WeightNoise, schedule
from tests.training.models import KINDS, replace_tensors, tiny, with_lora


def loss_and_gradients(model: nn.Module, batch: dict[str, torch.Tensor]) -> tuple[float, list[torch.Tensor]]:
    model.zero_grad()
    loss = model(**batch).loss
    loss.backward()
    return loss.item(), [p.grad.clone() for p in model.parameters() if p.grad is not None]


def test_normals_are_standard_and_determined_by_their_key() -> None:
    drawn = normals(7, 700, 800, torch.device("cpu"))
    assert abs(drawn.mean().item()) < 0.005
    assert drawn.std(1).mean().item() == pytest.approx(1, abs=0.01)
    assert torch.equal(drawn, normals(7, 700, 800, torch.device("cpu")))
    assert not torch.equal(drawn, normals(8, 700, 800, torch.device("cpu")))


@pytest.mark.parametrize("shape", [(700, 800), (7, 13), (3, 600_001)])
def test_normals_pass_a_normality_test(shape: tuple[int, int]) -> None:
    drawn = normals(7, *shape, torch.device("cpu")).flatten().double()
    assert kstest(drawn.numpy(), "norm").pvalue > 0.01


def test_normals_do_not_depend_on_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    drawn = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        drawn.append(normals(3, 900, 800, torch.device("cpu")))
    torch.set_num_threads(before)
    assert torch.equal(*drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_fast_row_norms_equal_those_of_the_merged_matrix(kind: str) -> None:
    model = with_lora(tiny(kind)[0])
    layers = adapted_layers(model)
    assert len(layers) >= 8
    for layer in layers:
        ((scale, down, up),) = layer.factors
        merged = layer.weight() + scale * up @ down
        assert layer.row_norms() == pytest.approx(merged.detach().norm(dim=1).numpy(), rel=1e-5)


def test_row_noise_is_sigma_times_the_root_mean_square() -> None:
    layer = nn.Linear(4000, 6, bias=False)
    with torch.no_grad():
        layer.weight.mul_(torch.arange(1.0, 7.0)[:, None])
    model = with_lora(nn.Sequential(layer), rank=2)
    noise = WeightNoise(model, sigma=0.1)
    identity = torch.eye(4000)
    with torch.no_grad():
        clean = model(identity)
        with noise.step(1, 1):
            eps = (model(identity) - clean).T
    [adapted] = adapted_layers(model)
    expected = 0.1 * adapted.row_norms() / math.sqrt(4000)
    assert eps.std(1) / expected == pytest.approx([1] * 6, rel=0.05)
    assert (eps.mean(1) / expected).abs().max() < 4 / math.sqrt(4000)


def test_isotropic_noise_has_the_same_energy_spread_evenly() -> None:
    layer = nn.Linear(3000, 6, bias=False)
    with torch.no_grad():
        layer.weight.mul_(torch.arange(1.0, 7.0)[:, None])
    energies, spreads = [], []
    for kind in ("flat_lora", "isotropic"):
        model = with_lora(nn.Sequential(nn.Linear(3000, 6, bias=False)), rank=2)
        model.base_model.model[0].base_layer.weight.data.copy_(layer.weight.data)
        noise = WeightNoise(model, sigma=0.1, kind=kind)
        with torch.no_grad():
            clean = model(torch.eye(3000))
            with noise.step(1, 1):
                eps = (model(torch.eye(3000)) - clean).T
        energies.append(eps.pow(2).sum().item())
        spreads.append((eps.std(1).max() / eps.std(1).min()).item())
    assert energies[0] == pytest.approx(energies[1], rel=0.05)
    assert spreads[0] > 3
    assert spreads[1] < 1.1


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_equal_those_with_noise_in_the_weights(kind: str) -> None:
    """Compare with the slow, obvious form: write the noise into the base weights and run the model."""
    model, batch = tiny(kind)
    model = with_lora(model)
    noise = WeightNoise(model, sigma=0.3, seed=5)
    with noise.step(3, 4):
        loss, gradients = loss_and_gradients(model, batch)
        eps = {layer.name: noise._now[layer.name].draw(layer.weight()) for layer in adapted_layers(model)}
    noise.remove()
    for layer in adapted_layers(model):
        added = eps[layer.name].T if layer.transposed else eps[layer.name]
        layer.base.weight.data.add_(added)
    slow_loss, slow_gradients = loss_and_gradients(model, batch)
    assert loss == pytest.approx(slow_loss, abs=1e-5)
    assert len(gradients) == len(slow_gradients) > 8
    for fast, slow in zip(gradients, slow_gradients, strict=True):
        assert torch.allclose(fast, slow, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_base_is_bit_identical_after_training(dtype: torch.dtype) -> None:
    model, batch = tiny("llama", dtype)
    model = with_lora(model)
    frozen = {name: p.detach().clone() for name, p in model.named_parameters() if not p.requires_grad}
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2)
    noise = WeightNoise(model, sigma=0.1)
    for step in range(10):
        with noise.step(step, 10):
            model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    for name, parameter in model.named_parameters():
        if name in frozen:
            assert torch.equal(parameter, frozen[name]), name


def test_sigma_zero_and_the_first_step_equal_plain_lora() -> None:
    model, batch = tiny("llama")
    model = with_lora(model)
    plain = loss_and_gradients(model, batch)
    for sigma, step in ((0.0, 5), (0.2, 0)):
        with WeightNoise(model, sigma=sigma).step(step, 10):
            loss, gradients = loss_and_gradients(model, batch)
        assert loss == plain[0]
        assert all(map(torch.equal, gradients, plain[1]))


def test_noise_is_fixed_within_a_step_and_new_in_the_next() -> None:
    model, batch = tiny("llama")
    model = with_lora(model)
    noise = WeightNoise(model, sigma=0.2, seed=1)
    losses = []
    for step in (4, 4, 5):
        with noise.step(step, 10):
            losses.append(loss_and_gradients(model, batch)[0])
    assert losses[0] == losses[1] != losses[2]


def test_noise_is_off_outside_a_step() -> None:
    model, batch = tiny("llama")
    model = with_lora(model)
    plain = model(**batch).loss.item()
    noise = WeightNoise(model, sigma=0.2)
    with noise.step(5, 10):
        assert model(**batch).loss.item() != plain
    assert model(**batch).loss.item() == plain


def test_gradient_checkpointing_sees_the_same_noise() -> None:
    model, batch = tiny("llama")
    model = with_lora(model)
    noise = WeightNoise(model, sigma=0.3)
    model.train()
    with noise.step(5, 10):
        loss, gradients = loss_and_gradients(model, batch)
    model.enable_input_require_grads()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    with noise.step(5, 10):
        again, recomputed = loss_and_gradients(model, batch)
    assert loss == pytest.approx(again, abs=1e-6)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(gradients, recomputed, strict=True))


def test_the_global_random_state_is_unchanged() -> None:
    model, batch = tiny("llama")
    model = with_lora(model)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with WeightNoise(model, sigma=0.2).step(5, 10):
        loss_and_gradients(model, batch)
    assert torch.equal(torch.rand(3), expected)


def test_noise_rises_from_zero_to_sigma() -> None:
    values = [schedule(0.05, step, 100) for step in range(101)]
    assert values[0] == 0
    assert values[50] == pytest.approx(0.025)
    assert values[-1] == pytest.approx(0.05)
    assert values == sorted(values)


def test_all_linear_layers_can_be_perturbed() -> None:
    model = with_lora(tiny("llama")[0], target_modules=["q_proj", "down_proj"])
    assert len(adapted_layers(model)) < len(adapted_layers(model, all_linear=True))


def test_a_model_without_an_adapter_is_refused() -> None:
    with pytest.raises(UserError, match="needs a linear layer with an active LoRA adapter"):
        WeightNoise(tiny("llama")[0], sigma=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_noise_follows_a_model_whose_tensors_are_replaced(kind: str) -> None:
    model, batch = tiny(kind)
    model = with_lora(model).eval()
    noise = WeightNoise(model, sigma=0.3, seed=5)
    replace_tensors(model)
    with noise.step(3, 4):
        loss, gradients = loss_and_gradients(model, batch)
    noise.remove()
    with WeightNoise(model, sigma=0.3, seed=5).step(3, 4):
        expected, expected_gradients = loss_and_gradients(model, batch)
    assert loss == expected
    assert all(torch.equal(one, other) for one, other in zip(gradients, expected_gradients, strict=True))


def with_gradient(gradient: list[float]) -> nn.Parameter:
    parameter = nn.Parameter(torch.zeros(len(gradient)))
    parameter.grad = torch.tensor(gradient)
    return parameter


def test_the_step_has_length_rho_over_all_parameters() -> None:
    one, other = with_gradient([3.0, 0.0]), with_gradient([4.0])
    with ascended([one, other], 0.5):
        assert torch.allclose(one, torch.tensor([0.3, 0.0]))
        assert torch.allclose(other, torch.tensor([0.4]))
        assert one.grad is None
    assert not one.any()
    assert not other.any()


@pytest.mark.parametrize("wrong", [float("inf"), float("nan")])
def test_nothing_moves_if_a_gradient_is_not_finite(wrong: float) -> None:
    one, other = with_gradient([1.0, wrong]), with_gradient([4.0])
    with ascended([one, other], 0.5):
        assert not one.any()
        assert not other.any()
        assert one.grad is None
        assert other.grad is None


_KERNEL = {
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


@pytest.mark.parametrize("name", _KERNEL)
def test_the_triton_kernel_in_its_interpreter(name: str) -> None:
    pytest.importorskip("triton")
    lines = [
        "import os",
        "os.environ['TRITON_INTERPRET'] = '1'",
        "import torch",
        "from holdfast.training.noise.weights.fused import noisy_weight",
        "torch.manual_seed(0)",
        "weight, std = torch.randn(300, 257), torch.linspace(0.5, 2, 300)",
        *(line.strip() for line in _KERNEL[name].strip().splitlines()),
    ]
    assert subprocess.run([sys.executable, "-c", "\n".join(lines)]).returncode == 0
