"""A curated set as a Hugging Face imagefolder in one archive.

The archive follows from database and blobs alone: no build date, a fixed order, and
nothing compressed (PNGs are already, and compressors differ between versions), so
building it again gives the same bytes.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports.card import (
    Columns,
    column_of,
    mask_column_of,
    transforms_column_of,
    write_card,
)
from feedback_app.images.models import CohortImage
from generation.conditioning.findings import NORMAL
from generation.errors import RemediableError

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
UNIX = 3
READABLE_FILE = 0o100644 << 16
MANIFEST = "manifest.json"

Report = Callable[[int], None]


class Archive:
    """A zip file that is written front to back and remembers its files' SHA-256 sums."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)
        self.files: dict[str, dict[str, object]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, content: bytes) -> None:
        entry = zipfile.ZipInfo(name, date_time=FIXED_TIME)
        entry.create_system = UNIX
        entry.external_attr = READABLE_FILE
        self._zip.writestr(entry, content)
        digest = hashlib.sha256(content).hexdigest()
        self.files[name] = {"sha256": digest, "size_bytes": len(content)}


def build(
    curated_set: CuratedSet,
    *,
    path: Path,
    report: Report,
    replaced: Mapping[str, str] | None = None,
) -> int:
    """Write the archive of a curated set; how many images it holds.

    ``replaced`` is what the manifest says of the export that this one is made instead of.
    """
    items = (
        curated_set.items.select_related(
            "candidate__image__blob", "candidate__recipe__model_version"
        )
        .prefetch_related("candidate__recipe__masks__blob")
        .order_by("position")
    )
    refuse_real_images(curated_set)
    columns = Columns.of(items)
    with Archive(path) as archive:
        for done, item in enumerate(items, start=1):
            archive.add(name_of(item), item.candidate.image.blob.read())
            for mask in item.candidate.recipe.conditioning:
                archive.add(mask_name_of(item, mask.kind), mask.blob.read())
            report(done)
        archive.add("metadata.csv", write_metadata(items, columns))
        archive.add("README.md", write_card(curated_set, columns))
        manifest = write_manifest(curated_set, files=archive.files, replaced=replaced)
        archive.add(MANIFEST, manifest)
    return len(items)


def refuse_real_images(curated_set: CuratedSet) -> None:
    """Fail where an image is, or has the very pixels of, an image of a cohort."""
    real = CohortImage.objects.filter(
        image__pixels_sha256__in=curated_set.items.values("candidate__image__pixels_sha256")
    )
    if found := real.select_related("cohort").first():
        raise RemediableError(
            f"The curated set holds a real image: {found.source_id} of the cohort {found.cohort}.",
            remedy="Real images never leave in an export. Curate again without it.",
        )


def name_of(item: CuratedItem) -> str:
    return f"images/{item.candidate.recipe_id}.png"


def mask_name_of(item: CuratedItem, kind: str) -> str:
    return f"masks/{kind}/{item.candidate.recipe_id}.png"


def write_metadata(items: Iterable[CuratedItem], columns: Columns) -> bytes:
    """One row an image, for a program that has never heard of Reading Room."""
    text = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for item in items:
        row = row_of(item, columns)
        if writer is None:
            writer = csv.DictWriter(text, fieldnames=list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return text.getvalue().encode()


def row_of(item: CuratedItem, columns: Columns) -> dict[str, object]:
    recipe = item.candidate.recipe
    return {
        "file_name": name_of(item),
        "prompt": recipe.prompt,
        "labels": "|".join(recipe.findings) or NORMAL,
        **{column_of(slug): item.mean_scores.get(slug, "") for slug in columns.criteria},
        "readers": item.reader_count,
        "readers_simulated": str(item.curated_set.is_simulated).lower(),
        "model": recipe.model_version.name,
        "seed": recipe.seed,
        "sampler": recipe.sampler,
        "steps": recipe.steps,
        "guidance_scale": recipe.guidance_scale,
        "recipe": recipe.key,
        "pixels_sha256": item.candidate.image.pixels_sha256,
        **mask_cells(item, columns.kinds),
    }


def mask_cells(item: CuratedItem, kinds: Sequence[str]) -> dict[str, object]:
    """Nothing where no image of the set follows a mask; empty where this one follows none."""
    if not kinds:
        return {}
    recipe = item.candidate.recipe
    masks = {mask.kind: mask for mask in recipe.conditioning}
    cells: dict[str, object] = {"mode": recipe.mode}
    for kind in kinds:
        mask = masks.get(kind)
        cells[mask_column_of(kind)] = mask_name_of(item, kind) if mask else ""
        cells[transforms_column_of(kind)] = canonical(mask.transforms) if mask else ""
    return cells


def canonical(transforms: object) -> str:
    return json.dumps(transforms, sort_keys=True, separators=(",", ":"))


def write_manifest(
    curated_set: CuratedSet,
    *,
    files: dict[str, dict[str, object]],
    replaced: Mapping[str, str] | None = None,
) -> bytes:
    content: dict[str, object] = {
        "format": "imagefolder",
        "policy": curated_set.policy.name,
        "curated_set_sha256": curated_set.sha256,
        "readers_simulated": curated_set.is_simulated,
        "files": dict(sorted(files.items())),
    }
    if replaced is not None:
        content["replaces"] = dict(replaced)
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()
