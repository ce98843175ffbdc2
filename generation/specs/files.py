"""How a spec is written into a run folder, and read there."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

Spec = TypeVar("Spec")


def write_spec(spec: object, path: Path) -> None:
    path.write_bytes(TypeAdapter(type(spec)).dump_json(spec, indent=2))


def read_spec(kind: type[Spec], path: Path) -> Spec:
    """Read a spec of this kind; a bad one raises ``pydantic.ValidationError``."""
    return TypeAdapter(kind).validate_json(path.read_bytes())
