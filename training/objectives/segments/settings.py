"""The settings of S2R2."""

from dataclasses import dataclass
from typing import Literal

from holdfast.training.method import setting


@dataclass(frozen=True)
class S2R2:
    """The settings of `s2r2`."""

    lambda_sem: float = setting(1.0, "weight of the segment drift in the loss", ge=0)
    lambda_stab: float = setting(1e-3, "weight of the adapter stability in the loss", ge=0)
    rho: float = setting(
        0.25, "fraction of the drifts, worst first, to average: 0 takes the maximum, 1 the whole cost", ge=0, le=1
    )
    warmup: float = setting(0.1, "fraction of training over which lambda_sem rises from 0", ge=0, le=1)
    penalty: Literal["cross_entropy", "representation"] = setting(
        "cross_entropy",
        "what drifts: the likelihood of segments under the perturbed prompt or, with representation (which fails its "
        "positive control, results/gate.txt), their hidden states",
    )
    mode: Literal["generate", "teacher"] = setting(
        "generate", "compare generated answers, or the reference answer under both prompts (cheaper)"
    )
    every: int = setting(2, "apply the drift term every this many steps", ge=1)
    layer: float = setting(0.67, "hidden states to compare: a fraction of the depth, or an index above 1", ge=0)
    centred: bool = setting(True, "subtract the batch mean from segment vectors")
    transport: Literal["sinkhorn", "exact"] = setting("sinkhorn", "solver of the optimal transport")
    epsilon: float = setting(0.05, "entropic regularisation relative to the median cost", ge=0)
    eta: float = setting(1e-6, "smoothing of the stability term", ge=0)
    qk_only: bool = setting(False, "restrict the stability term to query and key projections")
    granularity: Literal["sentence", "clause", "phrase"] = setting("clause", "how answers are cut into segments")
    max_new_tokens: int = setting(64, "length limit of generated answers", ge=1)

    gradients_every: int = setting(
        0, "log the gradient norms of task and drift and their cosine every this many steps; 0: never", ge=0
    )

    def weight(self, progress: float) -> float:
        """Return lambda_sem after this fraction of training, in [0, 1]; it rises linearly during warm-up."""
        return self.lambda_sem * min(1.0, progress / self.warmup if self.warmup else 1.0)
