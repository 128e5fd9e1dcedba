"""Another model than the evaluated one, named by arguments such as backend=api,model=NAME or pretrained=DIR."""

from collections.abc import Mapping

from holdfast.errors import UserError
from holdfast.harness.backends import Backend, backends
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.store.config import Scalar


def find_side_model(arguments: Mapping[str, Scalar], flag: str) -> Adapter:
    """Return the base model that the arguments name; loads nothing.

    Args:
        arguments: `backend` (default hf) and the backend's own.
        flag: The flag for error messages.

    Raises:
        UserError: If the backend is unknown, or an argument invalid.
    """
    name, own = _split(arguments)
    try:
        entry = backends.get(name)
        entry.check(own)
        return entry.find(own, [])[0]
    except UserError as error:  # which calls the arguments those of the evaluated model
        raise UserError(f"{flag}: {str(error).removeprefix('--model_args: ')}") from None


def load_side_model(arguments: Mapping[str, Scalar], flag: str, device: str | None = None) -> tuple[Backend, str]:
    """Return the engine that the arguments name, and the name of its model for requests.

    Raises:
        UserError: Like `find_side_model`, or if the model can't be loaded.
    """
    base = find_side_model(arguments, flag)
    name, own = _split(arguments)
    try:
        return backends.get(name).build(BackendOptions(own, None, device), [base]), base.name
    except UserError as error:
        raise UserError(f"{flag}: {error}") from None


def _split(arguments: Mapping[str, Scalar]) -> tuple[str, dict[str, Scalar]]:
    own = dict(arguments)
    return str(own.pop("backend", "hf")), own
