"""The run folder that a fine-tuning process finds: its spec, readings and images."""

import json
import os
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from feedback_app.finetuning.models import FineTune
from feedback_app.finetuning.services.masked import Line, lines_for, masks_of
from feedback_app.images.cohorts.manifests import training_rows
from feedback_app.images.models import Blob, Cohort, Mask, Split
from generation.specs import FineTuneSpec, TrainingImage, write_spec

IMAGE_FIELDS = ("winner", "loser", "image")
REAL_IMAGES_MAX = 256
"""As many as make a fair sample; each is encoded once."""


def write_run_folder(fine_tune: FineTune, run_dir: Path) -> FineTuneSpec:
    """Write all that the process needs, so that blobs may live anywhere; twice is no harm."""
    manifest = run_dir / "real.jsonl"
    lines = lines_for(fine_tune.snapshot, fine_tune.parent)
    readings = write_readings(lines, run_dir)
    if fine_tune.real_cohort:
        _write_real(fine_tune.real_cohort, run_dir / "images", manifest=manifest)
    settings = dict(fine_tune.settings)
    if fine_tune.reward_model:
        settings["reward_model"] = str(fine_tune.reward_model.folder)
    spec = FineTuneSpec(
        model=fine_tune.parent.source,
        preferences=str(readings),
        real_images=str(manifest) if fine_tune.real_cohort else "",
        method=fine_tune.method,  # type: ignore[arg-type]
        **settings,
    )
    write_spec(spec, run_dir / "spec.json")
    return spec


def write_readings(lines: Collection[Line], run_dir: Path) -> Path:
    """Returns a snapshot's lines as JSON lines that name files of images and masks, and those
    files.
    """
    images = run_dir / "images"
    images.mkdir(parents=True, exist_ok=True)
    shown = {line[name] for line in lines for name in IMAGE_FIELDS if name in line}
    _write_blobs(shown.union(*(masks_of(line).values() for line in lines)), images)
    readings = run_dir / "preferences.jsonl"
    _write_lines(readings, (json.dumps(_with_paths(line, images)).encode() for line in lines))
    return readings


def _with_paths(line: Line, folder: Path) -> Line:
    named: Line = {name: str(folder / line[name]) for name in IMAGE_FIELDS if name in line}
    if masks := masks_of(line):
        named["masks"] = {kind: str(folder / blob) for kind, blob in masks.items()}
    return {**line, **named}


def _write_real(cohort: Cohort, images: Path, *, manifest: Path) -> None:
    """Writes the training split alone, in the order of its hashes, which is as good as any."""
    of_training = cohort.images.filter(patient__split=Split.TRAIN)
    taken = of_training.order_by("image__blob_id")[:REAL_IMAGES_MAX]
    rows = list(training_rows(taken, masks=Mask.objects.none(), path_of=str))
    _write_blobs({row.path for row in rows}, images)
    line_of = TypeAdapter[Any](TrainingImage)
    _write_lines(
        manifest, (line_of.dump_json(replace(row, path=str(images / row.path))) for row in rows)
    )


def _write_blobs(sha256s: Collection[str], folder: Path) -> None:
    for blob in Blob.objects.filter(sha256__in=sha256s):
        _write(folder / blob.sha256, blob.read())


def _write_lines(path: Path, lines: Iterable[bytes]) -> None:
    _write(path, b"".join(line + b"\n" for line in lines))


def _write(path: Path, content: bytes) -> None:
    """Writes it whole or not at all."""
    temporary = path.with_name(f".{path.name}")
    temporary.write_bytes(content)
    os.replace(temporary, path)
