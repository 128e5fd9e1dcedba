"""The name of the encoder that uses the evaluated model's own hidden states; the harness implements it."""

from holdfast.errors import UserError
from holdfast.metrics.encoders.encoder import encoder
from holdfast.metrics.metric import Encode

MODEL = "model"
"""The name of this encoder."""


@encoder(MODEL)
def model() -> Encode:
    """The evaluated model's own hidden states, mean-pooled and centred; only in runs on the hf backend."""
    raise UserError("encoder 'model' is the evaluated model, available only in `holdfast run`; use another encoder")
