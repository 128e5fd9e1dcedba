"""The geometry of an adapter's update, module by module, computed from its files."""

from pathlib import Path

from holdfast.harness.models.adapter_files import read_adapter
from holdfast.metrics.adapters.geometry import Geometry, geometry_of


def inspect_adapter(name: str | Path) -> dict[str, Geometry]:
    """Return the geometry (norms, effective rank) of every LoRA pair of an adapter, by module name.

    Args:
        name: A peft directory, a hub name or a shipped adapter.

    Raises:
        UserError: If the adapter can't be found or read, or has no LoRA pair.
    """
    return {module: geometry_of(each.a, each.b, each.scale) for module, each in read_adapter(str(name)).factors.items()}
