"""What the frozen backbone saw of each picture, kept on disk so that it looks only once."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from generation.errors import RemediableError
from generation.vlm.model.eye import Eye

AT_ONCE = 16
PART = 256
"""Pictures of one file; a training that is stopped looks at most so many again."""

Report = Callable[[int, int], None]


def as_pixels(pictures: Sequence[np.ndarray], *, side: int) -> torch.Tensor:
    """Grey or colour pictures of 8 bits, any size: N x 3 x side x side in [-1, 1]."""
    rows = [
        np.asarray(Image.fromarray(picture).convert("L").resize((side, side),
                   Image.Resampling.BILINEAR), dtype=np.float32)
        for picture in pictures
    ]  # fmt: skip
    pixels = torch.from_numpy(np.stack(rows)) / 127.5 - 1
    return pixels[:, None].expand(-1, 3, -1, -1)


def look_at(eye: Eye, pictures: Sequence[np.ndarray]) -> torch.Tensor:
    """N x cells x channels of pictures at hand, in half precision."""
    device = next(eye.parameters()).device
    side = eye.config.image_size
    parts = [
        eye.look(as_pixels(pictures[start : start + AT_ONCE], side=side).to(device)).half().cpu()
        for start in range(0, len(pictures), AT_ONCE)
    ]
    return torch.cat(parts)


class Seen:
    """The pictures of instructions by name, and what was seen of them."""

    def __init__(self, names: Sequence[str], cells: torch.Tensor) -> None:
        self.names = tuple(names)
        self.cells = cells
        self.places = {name: place for place, name in enumerate(names)}

    def of(self, names: Sequence[str]) -> torch.Tensor:
        """N x cells x channels, in the order of the names."""
        return self.cells[[self.places[name] for name in names]]


def see(
    eye: Eye, names: Sequence[str], folders: Mapping[str, Path], kept: Path, *, report: Report
) -> Seen:
    """Look at pictures, those before in ``kept`` excepted; parts are written one at a time."""
    kept.mkdir(parents=True, exist_ok=True)
    of_eye = _known_by(eye)
    known = _read(kept, of_eye)
    missing = [name for name in names if name not in known]
    for start in range(0, len(missing), PART):
        report(start, len(missing))
        chosen = missing[start : start + PART]
        cells = look_at(eye, [read_picture(name, folders) for name in chosen])
        _write(kept, of_eye, chosen, cells)
        known |= dict(zip(chosen, cells, strict=True))
    return Seen(names, torch.stack([known[name] for name in names]))


def read_picture(name: str, folders: Mapping[str, Path]) -> np.ndarray:
    """Returns a picture of the instructions by its name, grey."""
    source, _, place = name.partition("/")
    try:
        with Image.open(folders[source] / place) as picture:
            return np.asarray(picture.convert("L"))
    except (KeyError, OSError, ValueError) as error:
        raise RemediableError(
            f"The picture {name} of the instructions cannot be read: {error}",
            remedy="Put the source's folder back to where the instructions were built from.",
        ) from error


def _known_by(eye: Eye) -> str:
    """Returns what the cells follow from: the backbone's weights and how pictures are cut."""
    sums = hashlib.sha256(f"{eye.config.image_size}/{eye.config.grid}".encode())
    for name, weight in sorted(eye.backbone.state_dict().items()):
        sums.update(name.encode() + weight.numpy().tobytes())
    return sums.hexdigest()[:16]


def _write(kept: Path, of_eye: str, names: Sequence[str], cells: torch.Tensor) -> None:
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
    partial = kept / f"{of_eye}-{digest}.partial"
    save_file({"cells": cells.contiguous()}, partial, metadata={"names": json.dumps(list(names))})
    partial.replace(partial.with_suffix(".safetensors"))


def _read(kept: Path, of_eye: str) -> dict[str, torch.Tensor]:
    from safetensors import safe_open

    known: dict[str, torch.Tensor] = {}
    for path in sorted(kept.glob(f"{of_eye}-*.safetensors")):
        with safe_open(path, framework="pt") as file:
            names = json.loads(file.metadata()["names"])
        known |= dict(zip(names, load_file(path)["cells"], strict=True))
    return known
