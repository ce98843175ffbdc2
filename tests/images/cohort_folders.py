"""Folders of a cohort as they are distributed, made up, and their import."""

import csv
import io
import struct
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from feedback_app.images.cohorts.services import start_import
from feedback_app.images.models import Blob, ImportSkip
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from generation.datasets.sources import ImportOptions
from tests.generation.dicoms import gradient

SIDE = 1024
HEADER = "Image Index,Finding Labels,Patient ID,Patient Age,Patient Gender,View Position"


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def grey(seed: int = 0, *, side: int = 16) -> bytes:
    return png(np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8))


def mask_png(*, side: int = 16, high: int = 255) -> bytes:
    pixels = np.zeros((side, side), dtype=np.uint8)
    pixels[: side // 2] = high
    return png(pixels)


def bomb(*, side: int = 60_000) -> bytes:
    """A PNG of a few hundred bytes that claims 3.6 thousand million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        sum_ = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", sum_)

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def lay_out(
    folder: Path, images: dict[str, bytes], *, masks: dict[str, bytes] | None = None
) -> Path:
    for kind, files in (("images", images), ("masks", masks or {})):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / kind / name).write_bytes(content)
    return folder


def import_folder(
    folder: Path,
    *,
    name: str = "x",
    source: str = "folder",
    options: ImportOptions | None = None,
) -> Run:
    run = runs.execute(start_import(source, folder, name=name, options=options).pk)
    assert run is not None
    return run


def skips(run: Run) -> dict[str, str]:
    assert run.state == State.SUCCEEDED, run.error
    return dict(ImportSkip.objects.filter(run=run).values_list("file", "reason"))


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def import_from(folder: Path, source: str, **options: Any) -> Run:
    run = import_folder(folder, name=source, source=source, options=ImportOptions(**options))
    assert run.state == State.SUCCEEDED, run.error
    return run


def pixels_of(blob: Blob) -> np.ndarray:
    with blob.open() as file, PIL.Image.open(file) as picture:
        return np.asarray(picture)


def reasons(run: Run) -> Counter[tuple[str, str]]:
    return Counter(ImportSkip.objects.filter(run=run).values_list("what", "reason"))


def gradient_png(seed: int) -> bytes:
    return png(gradient(seed=seed))
