"""`holdfast ls`: what there is, by kind, each with one line about it; imports no model library."""

from holdfast.errors import UserError
from holdfast.harness.actions.listing_cache import cached
from holdfast.suggestions import did_you_mean

KINDS = (
    *("tasks", "datasets", "perturbations", "metrics", "encoders", "comparers", "backends", "methods"),
    "exporters",
)


def print_listing(kind: str | None) -> None:
    """Print the names of one kind, or of every kind; raises UserError for an unknown kind."""
    if kind is not None and kind not in KINDS:
        raise UserError(f"unknown kind '{kind}'{did_you_mean(kind, KINDS)}")
    entries = cached(_describe_all)
    for name in [kind] if kind else KINDS:
        if kind is None and entries[name]:
            print(f"{name}:")
        for entry, text in entries[name].items():
            print(f"  {entry:<20} {text}")


def listed(kind: str) -> dict[str, str]:
    """Return the names of one kind, with a line about each."""
    return cached(_describe_all)[kind]


def _describe_all() -> tuple[dict[str, dict[str, str]], bool]:
    """Return the names of every kind with a line about each, and whether other packages registered any."""
    from holdfast.harness.actions.descriptions import REGISTRIES, descriptions

    found = {kind: dict(descriptions(registry)) for kind, registry in REGISTRIES.items()}
    return found, any(registry.third_party for registry in REGISTRIES.values())
