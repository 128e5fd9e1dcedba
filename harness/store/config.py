"""The configuration of a run: one pydantic model, whether given as flags, as YAML or in Python."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.errors import UserError
from holdfast.harness.store.lm_eval_settings import LmEvalSettings
from holdfast.harness.store.presets import PRESETS
from holdfast.metrics.comparers.segment_comparer import FACTS
from holdfast.metrics.drift import BREAK
from holdfast.suggestions import did_you_mean
from holdfast.tasks.data_files.field_map import FieldMap

Scalar = str | int | float | bool

CONFIG_FILE = "configuration file"
"""The name of the `--config` file in error messages."""


class GenerationArgs(BaseModel):
    """Generation settings that override the task's; decoding is greedy unless a temperature is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_new_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(0.0, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    stop: list[Annotated[str, Field(min_length=1)]] | None = None


class RunConfig(BaseModel):
    """The configuration of a run. Field names are the command line's flags."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "hf"
    model_args: dict[str, Scalar] = {"pretrained": "pocket-aligned"}
    adapters: list[str] = Field(["base", "pocket-steady", "pocket-narrow"], min_length=1)
    adapter_scales: list[Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = Field(None, min_length=1)
    preset: str | None = None
    mitigations: list[str] = []
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
    content: str | None = None
    references: str | None = None
    group: str | None = None
    encoding: str | None = None
    num_fewshot: int | None = Field(None, ge=0)
    system_instruction: str | None = None
    apply_chat_template: bool = False
    include_path: str | None = None
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    device: str | None = None
    max_requests: int | None = Field(None, ge=1)
    distributed: Literal["ray"] | None = None
    ray_address: str | None = None
    replicas: int = Field(1, ge=1)
    gpus_per_replica: float = Field(0.0, ge=0)
    gen_kwargs: GenerationArgs = GenerationArgs()
    chat_template_kwargs: dict[str, Scalar] = {}
    keep_reasoning: bool = False
    encoder: str = "minilm"
    comparer: str = FACTS
    fluency: str | None = None
    judge: str | None = None
    faithfulness: str | None = None
    break_threshold: float = Field(BREAK, gt=0, le=1)
    additions: Literal["ignore", "count"] = "ignore"
    granularity: Literal["sentence", "clause", "phrase"] = "sentence"
    spacy_pipeline: str | None = None
    seed: int = 0
    output_path: str = "results/run"
    log_samples: bool = False
    attention: bool = False
    label_likelihood: bool = False
    skip_bad_adapters: bool = False

    @property
    def field_map(self) -> FieldMap:
        """The names of the fields in data files."""
        return FieldMap(self.content, self.references, self.group, self.encoding)

    @property
    def lm_eval(self) -> LmEvalSettings:
        """How tasks of lm-eval are asked."""
        return LmEvalSettings(self.num_fewshot, self.system_instruction, self.apply_chat_template, self.include_path)

    @property
    def search_method(self) -> Literal["random", "greedy"] | None:
        """The method of searching for the worst variant, or None without a search."""
        if self.search is None:
            return None
        return "random" if self.search.startswith("random") else "greedy"

    @property
    def search_budget(self) -> int:
        """Maximum number of variants of a sample that the search tries; 0 without a search."""
        return int(self.search.partition(":")[2]) if self.search else 0

    @property
    def variants_per_sample(self) -> int:
        """Number of variants of a sample drawn at random for each perturbation and severity."""
        return max(self.repeats, self.search_budget) if self.search_method == "random" else self.repeats


SPELLINGS: Mapping[str, str] = dict.fromkeys(("out", "output_dir", "output"), "output_path")
"""Aliases of field names."""


def make_config(settings: Mapping[str, Any]) -> RunConfig:
    """Validate settings.

    Args:
        settings: Values by field name or alias; lists may be comma-separated strings, and mappings `a=b,c=d`.

    Raises:
        UserError: If a field is unknown or its value invalid; the message names it.
    """
    settings = {SPELLINGS.get(name, name): value for name, value in settings.items()}
    for name in settings:
        if name not in RunConfig.model_fields:
            raise UserError(f"unknown setting '{name}'{did_you_mean(name, RunConfig.model_fields)}")
    preset = settings.get("preset")
    if preset is not None and preset not in PRESETS:
        raise UserError(f"preset: unknown '{preset}'{did_you_mean(preset, PRESETS)}")
    settings = {**PRESETS.get(str(preset), {}), **settings}
    parsed = {name: _parse(name, value) for name, value in settings.items()}
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
        raise UserError(f"{where}: {hint}, got {found}") from None
    for name in _RAY_ONLY:
        if name in parsed and config.distributed is None:
            raise UserError(f"{name} is only for Ray clusters: add --distributed ray, or omit it")
    return config


_STOP = "stop"
_RAY_ONLY = ("ray_address", "replicas", "gpus_per_replica")

_SCALE = "scale must be a number >= 0, as in 0,0.5,1"
_HINTS = {
    ("search", "string_pattern_mismatch"): "use random:N or greedy:N with a number of variants, as in greedy:8",
    ("adapter_scales", "float_parsing"): _SCALE,
    ("adapter_scales", "greater_than_equal"): _SCALE,
    ("adapter_scales", "finite_number"): _SCALE,
    ("gen_kwargs", "string_too_short"): "a stop string must have at least one character, which may be a space",
    ("", "too_short"): "name at least one",
}


_NAMING = ("pretrained", "revision", "chat_template", "base_url", "stop")
"""Settings whose values are names, even if they look like numbers."""

_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,999})")  # not 007, which may be a name
_FRACTION = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?|nan|-?inf")


def parse_pairs(text: str, flag: str, *, alone: str = "") -> dict[str, Any]:
    """Parse `pretrained=x,dtype=float32`; numbers, true and false are converted.

    A stop string keeps its white space, and may be written with \\n and \\t.

    Args:
        text: The pairs.
        flag: The flag for error messages.
        alone: The name for a first part without one, if allowed.

    Raises:
        UserError: If a part is not of the form name=value, or a name is given twice.

    >>> parse_pairs("pocket-base,dtype=float32", "--model_args", alone="pretrained")
    {'pretrained': 'pocket-base', 'dtype': 'float32'}

    >>> parse_pairs("pretrained=a/b,max_length=256,trust_remote_code=true", "--model_args")
    {'pretrained': 'a/b', 'max_length': 256, 'trust_remote_code': True}

    >>> parse_pairs("revision=1.10,gpu_memory_utilization=0.90,x=1e-3,y=007", "--model_args")
    {'revision': '1.10', 'gpu_memory_utilization': 0.9, 'x': 0.001, 'y': '007'}
    """
    pairs: dict[str, Any] = {}
    for part in (part for part in text.split(",") if part.strip()):
        name, equals, value = part.partition("=")
        if not equals and alone and not pairs:
            name, value = alone, name
        elif not equals:
            raise UserError(f"{flag}: expected name=value, got '{part.strip()}'")
        name = name.strip()
        if name in pairs:
            raise UserError(f"{flag}: '{name}' is given twice: leave one out")
        if name == _STOP:
            pairs[name] = value.replace("\\n", "\n").replace("\\t", "\t")
        else:
            pairs[name] = value.strip() if name in _NAMING else scalar_of(value.strip())
    return pairs


def scalar_of(text: str) -> Scalar:
    """Return the text as an int, float or bool if it looks like one, else unchanged."""
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text


def _normalise_number(text: str) -> str:
    """Normalise a number, so that 0.10 and .1 both become 0.1."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def _parse(name: str, value: Any) -> Any:
    if name == "adapter_scales" and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if name in {"adapters", "tasks", "perturbations", "severity", "aggregate", "mitigations"}:
        parts = value.split(",") if isinstance(value, str) else value
        if isinstance(parts, (int, float)):
            parts = [parts]
        if not isinstance(parts, (list, tuple)):
            return parts
        named = [str(part).strip() for part in parts if str(part).strip()]
        return list(dict.fromkeys(map(_normalise_number, named))) if name == "severity" else named
    if name in {"model_args", "gen_kwargs", "chat_template_kwargs", "paraphraser"} and isinstance(value, str):
        value = parse_pairs(value, f"--{name}", alone="pretrained" if name == "model_args" else "")
    if name == "gen_kwargs" and isinstance(value, Mapping) and isinstance(value.get("stop"), str):
        return {**value, "stop": [value["stop"]]}
    if name in {"model_args", "chat_template_kwargs", "paraphraser"} and isinstance(value, Mapping):
        return value
    if name in {"encoder", "group"} and isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    if name in {"output_path", "pack", "include_path"} and isinstance(value, Path):
        return str(value)
    return value
