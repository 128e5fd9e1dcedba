"""The encoder that is the evaluated model itself: a name here, filled in by the harness, which holds the model."""

from holdfast.errors import UserError
from holdfast.metrics.encoders.encoder import encoder
from holdfast.metrics.metric import Encode

MODEL = "model"
"""The name of this encoder."""


@encoder(MODEL)
def model() -> Encode:
    """The evaluated model's own hidden states, mean-pooled and centred; in runs of the backend hf."""
    raise UserError("the encoder 'model' is the evaluated model: it is there in `holdfast run`, not without a run")
