"""The geometry of an adapter's update, module by module, computed from its files."""

import warnings
from pathlib import Path

from holdfast.harness.models.adapter_checks import PREFIX
from holdfast.harness.models.adapter_files import read_adapter
from holdfast.metrics.adapters.geometry import Geometry, geometry_of, total


def inspect_adapter(name: str | Path) -> dict[str, Geometry]:
    """Return the geometry (norms, effective rank) of every LoRA pair of an adapter, by module name.

    The matrices of a stack, such as a layer's experts, are taken together, as in `total`. What an adapter changes
    besides, such as DoRA's magnitudes or whole modules, is left out with a warning.

    Args:
        name: A peft directory, a hub name or a shipped adapter.

    Raises:
        UserError: If the adapter can't be found or read, or has no LoRA pair.
    """
    adapter = read_adapter(str(name), allow_magnitudes=True)
    plain = [key.removeprefix(PREFIX) for key in adapter.others]
    others = sorted(key for key in plain if key.partition(".lora_")[0] not in adapter.experts)
    if others:
        warnings.warn(
            f"adapter '{name}': the norms are those of s B A alone; {len(others)} other tensors are left out: "
            f"{', '.join(others[:3])}",
            stacklevel=2,
        )
    modules = {module: geometry_of(each.a, each.b, each.scale) for module, each in adapter.factors.items()}
    for module, stack in adapter.experts.items():
        modules[module] = total({str(i): geometry_of(each.a, each.b, each.scale) for i, each in enumerate(stack)})
    return modules
