"""What a run is asked to do: one pydantic model, the same from flags, from YAML and from Python."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.errors import UserError
from holdfast.metrics.drift import BREAK
from holdfast.suggestions import did_you_mean

Scalar = str | int | float | bool

CONFIG_FILE = "configuration file"
"""What error messages call the YAML file of `--config`."""


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
    adapter_scales: list[Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = Field(None, min_length=1)
    tasks: list[str] = Field(["factual_qa", "dialogue_summary"], min_length=1)
    perturbations: list[str] = Field(["typos", "word_deletion", "synonyms", "paraphrase"], min_length=1)
    severity: list[str] = Field(["light", "heavy"], min_length=1)
    repeats: int = Field(1, ge=1)
    aggregate: list[Literal["mean", "worst"]] = Field(["mean"], min_length=1)
    search: str | None = Field(None, pattern=r"^(random|greedy):[1-9]\d*$")
    pack: str | None = None
    min_meaning: float = Field(0.5, ge=0, le=1)
    paraphraser: dict[str, Scalar] | None = None
    limit: int | None = Field(None, ge=1)
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    device: str | None = None
    max_requests: int | None = Field(None, ge=1)
    distributed: Literal["ray"] | None = None
    ray_address: str | None = None
    replicas: int = Field(1, ge=1)
    gpus_per_replica: float = Field(0.0, ge=0)
    gen_kwargs: GenerationArgs = GenerationArgs()
    encoder: str = "minilm"
    break_threshold: float = Field(BREAK, gt=0, le=1)
    granularity: Literal["sentence", "clause", "phrase"] = "sentence"
    spacy_pipeline: str | None = None
    seed: int = 0
    output_path: str = "results/run"
    log_samples: bool = False
    attention: bool = False

    @property
    def search_method(self) -> Literal["random", "greedy"] | None:
        """How the variant that hurts most is looked for, if it is."""
        if self.search is None:
            return None
        return "random" if self.search.startswith("random") else "greedy"

    @property
    def search_budget(self) -> int:
        """How many variants of a sample the search may try; 0 without a search."""
        return int(self.search.partition(":")[2]) if self.search else 0

    @property
    def variants_per_sample(self) -> int:
        """How many variants of a sample are drawn at random, per perturbation and severity."""
        return max(self.repeats, self.search_budget) if self.search_method == "random" else self.repeats


SPELLINGS: Mapping[str, str] = dict.fromkeys(("out", "output_dir", "output"), "output_path")
"""Other names that fields may be given by."""


def make_config(settings: Mapping[str, Any]) -> RunConfig:
    """Check settings (lists may be comma-separated strings, mappings `a=b,c=d`); raises UserError naming the field."""
    settings = {SPELLINGS.get(name, name): value for name, value in settings.items()}
    for name in settings:
        if name not in RunConfig.model_fields:
            raise UserError(f"unknown setting '{name}'{did_you_mean(name, RunConfig.model_fields)}")
    parsed = {name: _parsed(name, value) for name, value in settings.items()}
    try:
        config = RunConfig.model_validate(parsed)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "extra_forbidden":
            *_, unknown = first["loc"]
            hint = did_you_mean(unknown, GenerationArgs.model_fields)
            raise UserError(f"{first['loc'][0]} has no '{unknown}'{hint}") from None
        where = ".".join(
            str(part) for part in first["loc"] if not str(part).startswith(("int", "literal", "constrained"))
        )
        hint = (
            _HINTS.get((where.partition(".")[0], first["type"]))
            or _HINTS.get(("", first["type"]))
            or first["msg"].lower()
        )
        found = "none" if first["input"] == [] else repr(first["input"])
        raise UserError(f"{where}: {hint}, not {found}") from None
    for name in _OF_RAY:
        if name in parsed and config.distributed is None:
            raise UserError(f"{name} is about a Ray cluster: add --distributed ray, or leave it out")
    return config


_OF_RAY = ("ray_address", "replicas", "gpus_per_replica")

_SCALE = "a scale is a number from 0 on, as in 0,0.5,1"
_HINTS = {
    ("search", "string_pattern_mismatch"): "use random:N or greedy:N with a number of variants, as in greedy:8",
    ("adapter_scales", "float_parsing"): _SCALE,
    ("adapter_scales", "greater_than_equal"): _SCALE,
    ("adapter_scales", "finite_number"): _SCALE,
    ("", "too_short"): "name at least one",
}


def parse_pairs(text: str, flag: str, *, alone: str = "") -> dict[str, Any]:
    """Parse `pretrained=x,dtype=float32`; numbers, true and false become what they look like.

    A first part without a name is the value of `alone`, if that is given.

    >>> parse_pairs("pocket-base,dtype=float32", "--model_args", alone="pretrained")
    {'pretrained': 'pocket-base', 'dtype': 'float32'}

    >>> parse_pairs("pretrained=a/b,max_length=256,trust_remote_code=true", "--model_args")
    {'pretrained': 'a/b', 'max_length': 256, 'trust_remote_code': True}
    """
    pairs: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals and alone and not pairs:
            name, value = alone, name
        elif not equals:
            raise UserError(f"{flag}: '{part}' is not of the form name=value")
        pairs[name.strip()] = scalar_of(value.strip())
    return pairs


def scalar_of(text: str) -> Scalar:
    """A whole number, a decimal, true or false, where it looks like one; else the text."""
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            value: Scalar = kind(text)
        except ValueError:
            continue
        if str(value) == text:  # 007 is a name
            return value
    return text


def _plain_number(text: str) -> str:
    """0.10 and .1 are 0.1: one strength has one name."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def _parsed(name: str, value: Any) -> Any:
    if name == "adapter_scales" and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if name in {"adapters", "tasks", "perturbations", "severity", "aggregate"}:
        parts = value.split(",") if isinstance(value, str) else value
        if isinstance(parts, (int, float)):
            parts = [parts]
        if not isinstance(parts, (list, tuple)):
            return parts
        named = [str(part).strip() for part in parts if str(part).strip()]
        return list(dict.fromkeys(map(_plain_number, named))) if name == "severity" else named
    if name in {"model_args", "gen_kwargs", "paraphraser"} and isinstance(value, str):
        return parse_pairs(value, f"--{name}", alone="pretrained" if name == "model_args" else "")
    if name == "encoder" and isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    if name in {"output_path", "pack"} and isinstance(value, Path):
        return str(value)
    return value
