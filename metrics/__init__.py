"""How an output is judged: text, policy and segment drift; plain texts in, floats out."""

from holdfast.metrics.metric import Encode, Metric, Scores, metrics, pair_metric, sample_metric

__all__ = ["Encode", "Metric", "Scores", "metrics", "pair_metric", "sample_metric"]
