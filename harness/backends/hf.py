"""Register the backend `hf`: transformers and peft on one machine."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.harness.backends.backend import Backend, BackendOptions, backend
from holdfast.harness.models.adapter import Adapter


def check_args(model_args: Mapping[str, Any]) -> None:
    """Raise UserError if a model argument is unknown, missing or invalid."""
    from holdfast.harness.backends.engines import hf_loading

    hf_loading.check_args(model_args)


@backend("hf", check_args)
def hf(options: BackendOptions, adapters: Sequence[Adapter]) -> Backend:
    """Run transformers and peft, on CPU or GPU: any causal, seq2seq or sequence-classification checkpoint."""
    from holdfast.harness.backends.engines.classifying.classifier_engine import Classifier
    from holdfast.harness.backends.engines.classifying.classifier_loading import load_classifier
    from holdfast.harness.backends.engines.hf_engine import HuggingFace
    from holdfast.harness.backends.engines.hf_loading import load
    from holdfast.harness.models.checkpoints import find_checkpoint
    from holdfast.harness.models.classifiers import is_classifier

    if is_classifier(find_checkpoint(str(options.model_args["pretrained"])), adapters):
        return Classifier(load_classifier(options, adapters), adapters, options.batch_size)
    return HuggingFace(load(options, adapters), adapters, options.batch_size)
