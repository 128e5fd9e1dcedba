"""Names of devices, checked without importing torch."""

import re

from holdfast.errors import UserError
from holdfast.suggestions import did_you_mean

_KINDS = ("cpu", "cuda", "mps", "xpu", "npu", "hpu", "mlu", "musa", "xla")


def check_device(name: str | None) -> None:
    """Raise UserError if `name` is not a kind of device, alone or with a number, as in cuda:1; None passes."""
    if name is not None and not re.fullmatch(rf"({'|'.join(_KINDS)})(:\d+)?", name):
        kind = name.partition(":")[0]
        raise UserError(
            f"--device: unknown device '{name}'{did_you_mean(kind, _KINDS)}; use for instance cpu or cuda:0"
        )
