"""Reading a YAML file of settings, with errors that name it."""

from pathlib import Path
from typing import Any

from holdfast.errors import UserError


def read_yaml(path: Path, what: str) -> dict[str, Any]:
    """Return the settings in a YAML file.

    Args:
        path: The file.
        what: What the file is, for messages, as in "configuration file".

    Raises:
        UserError: If the file is missing, unreadable, invalid or does not hold a mapping.
    """
    import yaml

    try:
        settings = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(f"{what} '{path}' does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"can't read {what} '{path}': {error}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{what} '{path}' is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise UserError(f"{what} '{path}' must hold settings as 'name: value' lines")
    return settings
