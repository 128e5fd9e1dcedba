"""The geometry of an adapter's update, module by module, from its files."""

from holdfast.harness.models.adapter_files import read_adapter
from holdfast.metrics.adapters.geometry import Geometry, geometry_of


def inspect_adapter(name: str) -> dict[str, Geometry]:
    """The geometry of every LoRA pair of an adapter, by module; raises UserError where there is none."""
    return {module: geometry_of(each.a, each.b, each.scale) for module, each in read_adapter(name).factors.items()}
