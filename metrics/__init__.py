"""Metrics that score outputs (text overlap, policy compliance, segment drift): strings in, floats out."""

from holdfast.metrics.metric import Encode, Metric, Scores, metrics, pair_metric, sample_metric

__all__ = ["Encode", "Metric", "Scores", "metrics", "pair_metric", "sample_metric"]
