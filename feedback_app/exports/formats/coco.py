"""COCO: the masks that images follow, and the regions that readers drew, as annotations."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

import numpy as np
from django.db.models import QuerySet

from feedback_app.accounts.pseudonyms import pseudonym_of
from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports.archives import Archive
from feedback_app.exports.card import Columns
from feedback_app.exports.formats.base import Format, Report
from feedback_app.exports.formats.contents import add_card, add_pictures, add_table, png_name_of
from feedback_app.exports.masks import PNGS
from feedback_app.exports.readings import regions_behind
from feedback_app.images.blobs.pixels import mask_in
from feedback_app.images.models import RecipeMask
from feedback_app.readings.models import Region
from feedback_app.readings.outlines import outline_of
from feedback_app.studies.models import FlagKind
from generation.conditioning.masks import MASK_KINDS, label_of
from generation.datasets.rle import encode_coco

INSTANCES = "annotations/instances.json"
FILES = f"""`images/` holds the PNGs, `masks/` the masks, `{INSTANCES}` both and the regions that
readers drew as COCO annotations, `metadata.csv` one row an image, `manifest.json` the SHA-256 sum
of every file. Open the annotations with `pycocotools.coco.COCO(...)`. A category of the
supercategory *mask* is what an image was asked to follow, one of *flag* what a reader found wrong;
an annotation of a flag has its grade, and its reader's pseudonym, under `attributes`.

| column | meaning |
|---|---|
| file_name | the image's file, relative to this folder, as in the annotations |
"""
MASKS = replace(PNGS, place=f"{PNGS.place}, and as annotations in {INSTANCES}")
Json = dict[str, object]
Shapes = dict[tuple[str, str], Json]
"""The geometry of every mask, by the recipe that follows it and its kind."""


def write(
    archive: Archive, curated_set: CuratedSet, items: QuerySet[CuratedItem], report: Report
) -> None:
    columns = Columns.of(items, MASKS)
    shapes: Shapes = {}

    def see_mask(mask: RecipeMask, content: bytes) -> None:
        shapes[mask.recipe_id, mask.kind] = geometry_of_mask(content)

    add_pictures(archive, items, report, see_mask=see_mask)
    flags = FlagKind.objects.filter(study__in=curated_set.rules["studies"])
    slugs = sorted(set(flags.values_list("slug", flat=True)))
    archive.add(INSTANCES, json.dumps(describe(curated_set, items, slugs, shapes)).encode())
    add_table(archive, items, columns)
    add_card(archive, curated_set, columns, files=FILES)


def describe(
    curated_set: CuratedSet, items: QuerySet[CuratedItem], flags: list[str], masks: Shapes
) -> Json:
    names = [("mask", label_of(kind)) for kind in MASK_KINDS] + [("flag", slug) for slug in flags]
    categories = {named: number for number, named in enumerate(names, start=1)}
    numbers = count(start=1)
    regions = regions_behind(curated_set)
    return {
        "info": {"description": curated_set.policy.name, "version": curated_set.sha256},
        "images": [
            {
                "id": item.position + 1,
                "file_name": png_name_of(item),
                "width": item.candidate.image.width,
                "height": item.candidate.image.height,
            }
            for item in items
        ],
        "categories": [
            {"id": number, "name": name, "supercategory": above}
            for (above, name), number in categories.items()
        ],
        "annotations": [
            {
                "id": next(numbers),
                "image_id": item.position + 1,
                "category_id": categories[named],
                "iscrowd": 0,
            }
            | shape
            for item in items
            for named, shape in shapes_of(item, regions[item.candidate.image_id], masks)
        ],
    }


def shapes_of(
    item: CuratedItem, regions: Iterable[Region], masks: Shapes
) -> Iterator[tuple[tuple[str, str], Json]]:
    """Yields category and geometry of each mask that an image follows, then of each region."""
    for mask in item.candidate.recipe.conditioning:
        yield ("mask", mask.label), masks[mask.recipe_id, mask.kind]
    for region in regions:
        flag = region.flag
        attributes = {"grade": flag.grade, "reader": pseudonym_of(flag.reading.reader_id)}
        yield (
            ("flag", flag.kind.slug),
            outline_of(region.shape, region.points) | {"attributes": attributes},
        )


def geometry_of_mask(content: bytes) -> Json:
    """Returns a mask's counts, area in pixels, and its bounding box."""
    pixels = mask_in(content)
    rows, columns = (np.flatnonzero(pixels.any(axis=axis)) for axis in (1, 0))
    left, top = (int(found[0]) if len(found) else 0 for found in (columns, rows))
    right, bottom = (int(found[-1]) + 1 if len(found) else 0 for found in (columns, rows))
    return {
        "segmentation": {
            "size": list(pixels.shape),
            "counts": [int(number) for number in encode_coco(pixels).split()],
        },
        "area": int(pixels.sum()),
        "bbox": [left, top, right - left, bottom - top],
    }


FORMAT = Format(
    name="coco",
    label="COCO, with masks and readers' regions (zip)",
    suffix="-coco",
    opening=(
        'python -c "from pycocotools.coco import COCO; '
        f"print(len(COCO('chest-x-rays/{INSTANCES}').anns))\""
    ),
    masks=MASKS,
    write=write,
)
