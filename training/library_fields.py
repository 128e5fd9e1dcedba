"""The fields of a library's settings class, read from its source: importing transformers or peft takes many seconds."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class LibraryField:
    """A field of a dataclass: its annotation as written, its default (None if not a literal), its choices if known."""

    annotation: str
    default: Any = None
    choices: tuple[str, ...] = ()

    @property
    def types(self) -> set[str]:
        """The names of the types in the annotation, as in {"int", "None"}."""
        return {part.strip() for part in self.annotation.split("|")}

    @property
    def is_switch(self) -> bool:
        """Whether the field is true or false."""
        return "bool" in self.types and self.types <= {"bool", "None"}

    @property
    def is_number(self) -> bool:
        """Whether the field is a number."""
        return bool(self.types & {"int", "float"}) and self.types <= {"int", "float", "None"}


def training_arguments() -> Mapping[str, LibraryField]:
    """Return the fields of transformers' TrainingArguments."""
    return _fields_of("transformers", "training_args.py", "TrainingArguments", "trainer_utils.py", "debug_utils.py")


def reporters() -> tuple[str, ...]:
    """Return the names of the services to which transformers' Trainer can report."""
    source = _folder_of("transformers") / "integrations" / "integration_utils.py"
    for node in ast.parse(source.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INTEGRATION_TO_CALLBACK":
            return tuple(_literal(key) for key in getattr(node.value, "keys", ()))
    return ()


def lora_config() -> Mapping[str, LibraryField]:
    """Return the fields of peft's LoraConfig, without those of its base classes."""
    return _fields_of("peft", "tuners/lora/config.py", "LoraConfig")


@cache
def _fields_of(package: str, file: str, name: str, *beside: str) -> Mapping[str, LibraryField]:
    """Read the fields of one class; `beside` are files with enumerations that its annotations name."""
    folder = _folder_of(package)
    classes = {
        each.name: each
        for path in (file, *beside)
        for each in ast.parse((folder / path).read_text("utf-8")).body
        if isinstance(each, ast.ClassDef)
    }
    return {
        node.target.id: _field(node, classes)
        for node in classes[name].body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _folder_of(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None, package
    assert spec.origin is not None, package
    return Path(spec.origin).parent


def _field(node: ast.AnnAssign, classes: Mapping[str, ast.ClassDef]) -> LibraryField:
    annotation = ast.unparse(node.annotation)
    default, choices = node.value, tuple(_values(node.annotation, classes)) if "list" not in annotation else ()
    if isinstance(default, ast.Call):
        keywords = {each.arg: each.value for each in default.keywords}
        default = keywords.get("default")
        metadata = keywords.get("metadata")
        if isinstance(metadata, ast.Dict):
            pairs = {_literal(key): value for key, value in zip(metadata.keys, metadata.values, strict=True)}
            choices = choices or tuple(_literal(pairs.get("choices")) or ())
    return LibraryField(annotation, _literal(default), choices)


def _values(annotation: ast.AST, classes: Mapping[str, ast.ClassDef]) -> Iterator[str]:
    """Yield the values of an annotation that is a Literal, or of the enumerations in it."""
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Literal":
        yield from _literal(annotation.slice)
    for name in ast.walk(annotation):
        found = classes.get(name.id) if isinstance(name, ast.Name) else None
        for each in found.body if found else ():
            if isinstance(each, ast.Assign) and isinstance(value := _literal(each.value), str):
                yield value


def _literal(node: ast.AST | None) -> Any:
    try:
        return ast.literal_eval(node) if node is not None else None
    except ValueError:
        return None
