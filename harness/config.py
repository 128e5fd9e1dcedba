"""What a run is asked to do: one pydantic model, the same from flags, from YAML and from Python."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.errors import UserError

Scalar = str | int | float | bool


class GenerationArgs(BaseModel):
    """How answers are generated, over what the task says; greedy unless a temperature is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_new_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(0.0, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    stop: list[str] | None = None


class RunConfig(BaseModel):
    """The configuration of a run. Field names are the command line's flags."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "hf"
    model_args: dict[str, Scalar] = {"pretrained": "pocket-aligned"}
    adapters: list[str] = Field(["base", "pocket-steady", "pocket-narrow"], min_length=1)
    tasks: list[str] = Field(["factual_qa", "dialogue_summary"], min_length=1)
    perturbations: list[str] = ["typos", "word_deletion", "synonyms", "paraphrase"]
    severity: list[str] = Field(["light", "heavy"], min_length=1)
    repeats: int = Field(1, ge=1)
    limit: int | None = Field(None, ge=1)
    batch_size: int | Literal["auto"] = "auto"
    device: str | None = None
    gen_kwargs: GenerationArgs = GenerationArgs()
    encoder: str = "minilm"
    granularity: Literal["sentence", "clause", "phrase"] = "sentence"
    spacy_pipeline: str | None = None
    seed: int = 0
    output_path: str = "results/run"
    log_samples: bool = False


def read_config(path: Path) -> dict[str, Any]:
    """The settings in a YAML file, unchecked; raises UserError for a missing file or broken YAML."""
    try:
        loaded = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(f"no configuration file '{path}'") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"can't read '{path}': {error}") from None
    except yaml.YAMLError as error:
        raise UserError(f"'{path}' is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(loaded, dict):
        raise UserError(f"'{path}' must hold settings as 'name: value' lines, like the flags of holdfast run")
    return loaded


def make_config(settings: Mapping[str, Any]) -> RunConfig:
    """Check settings (lists may be comma-separated strings, mappings `a=b,c=d`); raises UserError naming the field."""
    fields = RunConfig.model_fields
    for name in settings:
        if name not in fields:
            near = difflib.get_close_matches(str(name), fields, n=1)
            raise UserError(
                f"unknown setting '{name}'"
                + (f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(fields)}")
            )
    parsed = {name: _parsed(name, value) for name, value in settings.items()}
    try:
        return RunConfig.model_validate(parsed)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][:2] if part not in ("int", "literal['auto']"))
        raise UserError(f"{where}: {first['msg'].lower()}, not {first['input']!r}") from None


def parse_pairs(text: str, flag: str) -> dict[str, Any]:
    """`pretrained=x,dtype=float32` -> a dict; numbers and booleans become what they look like.

    >>> parse_pairs("pretrained=a/b,max_length=256", "--model_args")
    {'pretrained': 'a/b', 'max_length': 256}
    """
    pairs = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise UserError(f"{flag}: '{part}' is not of the form name=value")
        pairs[name.strip()] = yaml.safe_load(value) if value else ""
    return pairs


def _parsed(name: str, value: Any) -> Any:
    if name in {"adapters", "tasks", "perturbations", "severity"}:
        parts = value.split(",") if isinstance(value, str) else value
        if isinstance(parts, (int, float)):
            parts = [parts]
        return [str(part).strip() for part in parts if str(part).strip()] if isinstance(parts, (list, tuple)) else parts
    if name in {"model_args", "gen_kwargs"} and isinstance(value, str):
        return parse_pairs(value, f"--{name}")
    if name == "output_path" and isinstance(value, Path):
        return str(value)
    return value
