"""How an output is judged: text, policy and segment drift; plain texts in, floats out."""

from holdfast.metrics.registry import metrics, pair_metric, sample_metric
from holdfast.metrics.types import Encode, Metric, Scores

__all__ = ["Encode", "Metric", "Scores", "metrics", "pair_metric", "sample_metric"]
