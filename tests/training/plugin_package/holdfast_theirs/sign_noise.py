"""A noise: every trained parameter moves up or down by a fixed amount during a step."""

from dataclasses import dataclass

from holdfast.training.contract import StepNoise, TrainingContext
from holdfast.training.method import method, setting


@dataclass(frozen=True)
class SignNoise:
    size: float = setting(0.001, "how far parameters move", ge=0)


@method("sign_noise", "weights", settings=SignNoise)
def sign_noise(settings: SignNoise, context: TrainingContext) -> StepNoise:
    """Move every trained parameter up or down by a fixed amount during a step."""
    import torch

    class Moved:
        def backward(self, run, step, total):
            generator = torch.Generator().manual_seed(context.seed * 1_000_003 + step)
            trained = [p for p in context.model.parameters() if p.requires_grad]
            kept = [p.detach().clone() for p in trained]
            with torch.no_grad():
                for parameter in trained:
                    signs = torch.randint(0, 2, parameter.shape, generator=generator) * 2 - 1
                    parameter.add_(signs.to(parameter) * settings.size)
            try:
                return run()
            finally:
                with torch.no_grad():
                    for parameter, before in zip(trained, kept, strict=True):
                        parameter.copy_(before)

    return Moved()
