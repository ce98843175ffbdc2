"""Where weights lie: the bundled model, a folder, a hub id; and what tells them from others."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from feedback_app.images.blobs.places import bring, is_shared, put
from generation.errors import RemediableError
from generation.hashing import sha256_of_file
from generation.specs import BUNDLED

BUNDLED_FOLDER: Path = settings.ROOT / "generation" / "bundled"
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+@[\w.-]+", re.ASCII)
"""``owner/name@revision``."""
IN_STORAGE = "data:"
"""Locations that begin so are relative to DATA_ROOT, so that an installation can be moved."""
LOCATION_MAX = 500
PART = re.compile(r"[A-Za-z]\w{0,63}", re.ASCII)
INDEX = "model_index.json"
OF_NO_PIXEL = {"transformers_version", "name_or_path", "truncation", "padding"}
TOKENIZER = "tokenizer"
OF_ANSWERS = {".safetensors", ".json", ".jinja", ".model", ".txt"}
"""The suffixes of what a VLM's answers follow from: weights, settings, tokenizer, templates."""
CONTROL_NET = "controlnet"
"""The folder of a model's ControlNet."""


def location_of(path: Path | str) -> str:
    """Returns how a folder's place is written down: within the storage relative to it."""
    absolute = Path(path).expanduser().resolve()
    root = Path(settings.DATA_ROOT).resolve()
    if absolute.is_relative_to(root):
        return f"{IN_STORAGE}{absolute.relative_to(root).as_posix()}"
    return str(absolute)


def path_of(location: str) -> Path:
    """Returns the path that a folder's location stands for now, on whatever host."""
    place = place_of(location)
    return bring(place) if location.startswith(IN_STORAGE) else place


def place_of(location: str) -> Path:
    """Returns the path that a location stands for, whether or not this host has the folder."""
    if location.startswith(IN_STORAGE):
        return Path(settings.DATA_ROOT) / location.removeprefix(IN_STORAGE)
    return Path(location).expanduser()


def folder_named(location: str) -> Path | None:
    """Returns the folder that somebody names; None where there is none, or could be none."""
    try:
        folder = path_of(location)
    except (OSError, RuntimeError, ValueError):
        return None  # no such person's home, a name too long
    return folder if os.path.isdir(folder) else None  # noqa: PTH112  Path.is_dir raises


def keep_weights(folder: Path, *, sha256: str) -> str:
    """Returns the location of a folder that is registered: where it lies.

    With a bucket it is put there, for other hosts; one from outside DATA_ROOT under its hash.
    """
    location = location_of(folder)
    if is_shared() and not location.startswith(IN_STORAGE):
        location = f"{IN_STORAGE}{settings.MODELS_ROOT.name}/{sha256}"
        put(folder, name=location.removeprefix(IN_STORAGE))
    elif is_shared():
        put(folder)
    return location


def loadable(location: str) -> str:
    """Returns a location as the torch side reads it: a path, a hub id or ``bundled``."""
    return str(path_of(location)) if location.startswith(IN_STORAGE) else location


def folder_of(location: str) -> Path | None:
    """Returns the folder that a location names; None for a hub id.

    Raises RemediableError where there is nothing.
    """
    if location == BUNDLED:
        return _bundled_folder()
    if len(location) <= LOCATION_MAX:
        if folder := folder_named(location):
            return folder
        if HUB_ID.fullmatch(location):
            return None
    raise RemediableError(
        f"There is no model at {location[:LOCATION_MAX]!r}.",
        remedy=(
            f"Name “{BUNDLED}”, a folder in the diffusers format or one .safetensors or .ckpt file "
            "on this server, or a hub id with its revision, as in owner/name@revision."
        ),
    )


def _bundled_folder() -> Path:
    folder = BUNDLED_FOLDER
    if not (folder / INDEX).is_file():
        raise RemediableError(
            f"The model that comes with the project is not in {folder}.",
            remedy="Fetch the whole repository again, or train one with manage.py pretrain.",
        )
    return folder


def hash_model(location: str) -> str:
    """Returns the SHA-256 over all files of a base model that its pixels follow from.

    Weights count by their bytes, configurations by their content without names and versions
    of libraries, and a hub id by its text.
    """
    folder = folder_of(location)
    if folder is None:
        return hashlib.sha256(location.encode()).hexdigest()
    return _sum_of(folder, [*weights_of(folder), *settings_of(folder)])


def hash_vlm(folder: Path) -> str:
    """Returns the SHA-256 over a VLM's weights and all settings that its answers follow from."""
    files = (path for path in sorted(folder.iterdir()) if path.suffix in OF_ANSWERS)
    return _sum_of(folder, [path for path in files if path.is_file()])


def hash_adapter(location: str) -> str:
    """Returns the SHA-256 over the names and bytes of an adapter's or scorer's weights."""
    folder = folder_of(location)
    if folder is None:
        return hashlib.sha256(location.encode()).hexdigest()
    return _sum_of(folder, sorted(folder.rglob("*.safetensors")))


def hash_weights_alone(location: str) -> str:
    """Returns the hash by which base models were known before their settings counted.

    Rows of that time keep it, for the keys of the recipes that they made.
    """
    folder = folder_of(location)
    return hash_model(location) if folder is None else _sum_of(folder, sorted(weights_of(folder)))


def _sum_of(folder: Path, files: list[Path]) -> str:
    if not any(path.suffix == ".safetensors" for path in files):
        raise RemediableError(
            f"{folder} holds no *.safetensors file.",
            remedy="Save the weights as safetensors: other formats can run code when loaded.",
        )
    sums = hashlib.sha256()
    for path in files:
        sums.update(f"{path.relative_to(folder).as_posix()}:{_digest(path)}\n".encode())
    return sums.hexdigest()


def _digest(path: Path) -> str:
    if path.suffix == ".json":
        canonical = json.dumps(_that_matters(json.loads(path.read_text())), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()
    return sha256_of_file(path)


def _that_matters(content: Any) -> Any:
    """Leaves out where a configuration came from, which library wrote it, and a tokenizer's state.

    How far a tokenizer pads and cuts is saved as it was last used; the pipeline says it anew.
    """
    if not isinstance(content, dict):
        return content
    return {
        key: value
        for key, value in content.items()
        if key == "_class_name" or not (key.startswith("_") or key in OF_NO_PIXEL)
    }


def index_of(folder: Path) -> Path:
    """Returns the file that says which parts a model has."""
    index = folder / INDEX
    if not index.is_file():
        raise RemediableError(
            f"{folder} is not a model in the diffusers format: it has no {INDEX}.",
            remedy="Name the folder that save_pretrained() of a pipeline has written.",
        )
    return index


def parts_of(folder: Path) -> set[str]:
    """Returns the names of the parts that a model's index names, and its ControlNet's."""
    named = json.loads(index_of(folder).read_text())
    parts = {part for part, kind in named.items() if isinstance(kind, list)}
    if odd := sorted(part for part in parts if not PART.fullmatch(part)):
        raise RemediableError(
            f"{folder}/{INDEX} names a part {ascii(odd[0])[:80]}, which is no folder in it.",
            remedy="Name the folder that save_pretrained() of a pipeline has written.",
        )
    return parts | {CONTROL_NET}


def weights_of(folder: Path) -> Iterator[Path]:
    """Yields the weights of the parts that the pipeline's index names, and of a ControlNet."""
    for part in sorted(parts_of(folder)):
        yield from sorted((folder / part).glob("*.safetensors"))


def settings_of(folder: Path) -> Iterator[Path]:
    """Yields the configurations of all parts, and every file of the tokenizer."""
    yield folder / INDEX
    for part in sorted(parts_of(folder)):
        wanted = "*" if part == TOKENIZER else "*.json"
        yield from sorted(path for path in (folder / part).glob(wanted) if path.is_file())


def has_control_net(location: str) -> bool:
    """Says whether the model's folder has a ControlNet, by which it follows masks."""
    folder = folder_of(location)
    return folder is not None and any((folder / CONTROL_NET).glob("*.safetensors"))
