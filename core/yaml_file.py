"""Reading a YAML file of settings, with errors that name it."""

from pathlib import Path
from typing import Any

from holdfast.errors import UserError


def read_yaml(path: Path, what: str) -> dict[str, Any]:
    """The settings in the file; raises UserError where it is missing, unreadable, broken, or holds no settings.

    `what` says what the file is for, as in "configuration file".
    """
    import yaml

    try:
        settings = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(f"no {what} '{path}'") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"can't read {what} '{path}': {error}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{what} '{path}' is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise UserError(f"{what} '{path}' must hold settings, as 'name: value' lines")
    return settings
