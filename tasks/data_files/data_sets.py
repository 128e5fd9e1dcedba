"""The rows of a data set of the datasets library: of a hub, or of a folder that `save_to_disk` wrote."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.suggestions import did_you_mean
from holdfast.tasks.data_files.plain_rows import plain_rows

_SPLITS = ("test", "validation", "train")


def is_data_set(source: str) -> bool:
    """Return whether a source is a saved data set's folder, or has the form of a hub name, owner/name."""
    path = Path(source)
    if path.is_dir():
        return any((path / name).is_file() for name in ("state.json", "dataset_dict.json"))
    return not path.exists() and not path.suffix and source.count("/") == 1 and not source.startswith((".", "/", "~"))


def read_data_set(
    source: str, split: str | None, config: str | None
) -> Iterator[tuple[int, dict[str, Any] | UserError]]:
    """Yield the rows of a data set with their numbers.

    Args:
        source: A folder or a hub name.
        split: The split; None takes the first there is of test, validation and train.
        config: The configuration of a hub's data set.

    Raises:
        UserError: If the datasets library is missing, or the data set or its split can't be found.
    """
    try:
        import datasets
    except ImportError:
        raise UserError(f"'{source}': data sets need the datasets library: pip install 'holdfast-eval[data]'") from None
    local = Path(source).is_dir()
    try:
        with without_progress_bars():
            loaded = datasets.load_from_disk(source) if local else datasets.load_dataset(source, config)
    except Exception as error:  # the hub's client raises its own errors, httpx errors and OS errors
        place = "" if local else " from the hub or its cache"
        raise UserError(f"'{source}' can't be loaded{place}: {first_line(error)}") from None
    rows = loaded
    if isinstance(loaded, Mapping):
        if split is not None and split not in loaded:
            raise UserError(f"'{source}' has no split '{split}'{did_you_mean(split, loaded)}")
        rows = loaded[split or next((name for name in _SPLITS if name in loaded), next(iter(loaded)))]
    return plain_rows(map(dict, rows))


@contextmanager
def without_progress_bars() -> Iterator[None]:
    """Hide the bars of the datasets library, which would stand in our output; those of downloads stay."""
    import datasets

    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()
