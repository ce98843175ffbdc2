"""The content hash of a cell, by which a cell that was trained before is found; torch-free."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from generation.hashing import sha256_of_file
from generation.specs import CellSpec, TrainingImage

CELL_VERSION = 2
"""It is raised when the code that trains and measures a cell gives other figures."""

CAME_LATER = {"stopping": "validation"}
"""Settings that cells did not have once, and the values that are as it was then."""

_LINE = TypeAdapter(TrainingImage)

Sha256Of = Callable[[str], str]
"""From a path to the SHA-256 of what the file holds, in hexadecimal."""


def cell_hash(spec: CellSpec, *, sha256_of: Sha256Of = sha256_of_file) -> str:
    """SHA-256 of the spec with what its manifests' files hold in place of their paths.

    Where lines stand in a manifest, and where files lie, does not matter. ``sha256_of`` is
    for those who know the hashes of their files without reading them.
    """
    real, synthetic = (
        as_text(manifest_content(Path(manifest), sha256_of=sha256_of) if manifest else [])
        for manifest in (spec.real, spec.synthetic)
    )
    return hash_with(spec, real=real, synthetic=synthetic)


def hash_with(spec: CellSpec, *, real: str, synthetic: str) -> str:
    """Hash one of many cells of the same manifests, whose content is put in ``as_text``."""
    content = asdict(spec) | {
        "version": CELL_VERSION,
        "training_ids": sorted(spec.training_ids),
    }
    texts = {
        name: as_text(value)
        for name, value in content.items()
        if name not in CAME_LATER or value != CAME_LATER[name]
    }
    texts |= {"real": real, "synthetic": synthetic}
    entries = ", ".join(f"{as_text(name)}: {text}" for name, text in sorted(texts.items()))
    return hashlib.sha256(f"{{{entries}}}".encode()).hexdigest()


def as_text(content: object) -> str:
    """JSON that is the same for the same content."""
    return json.dumps(content, sort_keys=True)


def manifest_content(manifest: Path, *, sha256_of: Sha256Of) -> list[dict[str, Any]]:
    """Give what each line says and its files hold, in the order of image ids."""
    lines = [_LINE.validate_json(line) for line in manifest.read_bytes().splitlines()]
    return [
        asdict(line)
        | {
            "path": sha256_of(line.path),
            "masks": {kind: sha256_of(path) for kind, path in line.masks.items()},
        }
        for line in sorted(lines, key=lambda line: line.image_id)
    ]
