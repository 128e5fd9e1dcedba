"""Reading a YAML file of settings, with errors that name it."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from holdfast.errors import UserError

_BOOL = "tag:yaml.org,2002:bool"


def read_yaml(path: Path, what: str, *, yes_is_text: bool = False) -> dict[str, Any]:
    """Return the settings in a YAML file.

    Args:
        path: The file.
        what: What the file is, for messages, as in "configuration file".
        yes_is_text: Whether yes, no, on and off are text, as in YAML 1.2, and not truth values.

    Raises:
        UserError: If the file is missing, unreadable, invalid or does not hold a mapping.
    """
    import yaml

    try:
        settings = yaml.load(path.read_text("utf-8"), _words_loader() if yes_is_text else yaml.SafeLoader)
    except FileNotFoundError:
        raise UserError(f"{what} '{path}' does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"can't read {what} '{path}': {error}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{what} '{path}' is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise UserError(f"{what} '{path}' must hold settings as 'name: value' lines")
    return settings


@cache
def _words_loader() -> Any:
    import yaml

    class WordsLoader(yaml.SafeLoader):
        """Reads only true and false as truth values."""

    kept = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    WordsLoader.yaml_implicit_resolvers = kept
    WordsLoader.add_implicit_resolver(_BOOL, re.compile("(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
    return WordsLoader
