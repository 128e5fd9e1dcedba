"""`holdfast inspect`: the geometry of an adapter, module by module."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from holdfast.harness.adapter_files import read_adapter
from holdfast.metrics.geometry import Geometry, geometry_of, total


def inspect_adapter(name: str) -> dict[str, Geometry]:
    """The geometry of every LoRA pair of an adapter, by module; raises UserError where there is none."""
    return {module: geometry_of(each.a, each.b, each.scale) for module, each in read_adapter(name).factors.items()}


def print_geometry(name: str, *, as_json: bool) -> None:
    """Print a table, the whole adapter last; or JSON."""
    modules = inspect_adapter(name)
    whole = total(modules)
    if as_json:
        print(json.dumps({"total": asdict(whole), "modules": {key: asdict(g) for key, g in modules.items()}}, indent=2))
        return
    columns = ("a_norm", "b_norm", "norm", "spectral_norm", "effective_rank", "rank")
    width = max(map(len, modules)) + 2
    print(f"{'module':<{width}}" + "".join(f"{column:>16}" for column in columns))
    for key, geometry in {**modules, "total": whole}.items():
        print(f"{key:<{width}}" + "".join(_cell(asdict(geometry), column) for column in columns))


def _cell(values: Mapping[str, float], column: str) -> str:
    value = values[column]
    return f"{value:>16}" if isinstance(value, int) else f"{value:>16.4f}"
