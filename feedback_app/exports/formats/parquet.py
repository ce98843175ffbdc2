"""Parquet with the pictures inside, in the layout of Hugging Face's image features."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports.archives import Archive
from feedback_app.exports.card import Columns, column_of
from feedback_app.exports.formats.base import Format, Report
from feedback_app.exports.formats.contents import add_card, add_table, png_name_of
from feedback_app.exports.masks import Masks, mask_column_of, png_of_mask
from feedback_app.exports.rows import facts_of_item
from feedback_app.images.models import Blob

if TYPE_CHECKING:
    import pyarrow as pa

IMAGES_A_FILE = 500
ALIASES = {str: "string", int: "int64", float: "float64"}
FILES = f"""`data/` holds Parquet files of at most {IMAGES_A_FILE} images, `metadata.csv` the same
columns with a file's name in place of pictures, `manifest.json` the SHA-256 sum of every file.
Open the folder with `datasets.load_dataset("parquet", data_dir=".../data")`: pictures and masks
come as images.

| column | meaning |
|---|---|
| image | the picture: a PNG's bytes, and the path that it has in other formats |
| file_name | in `metadata.csv` alone: the Parquet file that has the picture |
"""
MASKS = Masks(
    place="as image columns of the Parquet files",
    meaning="the mask of {kind} that it follows, if any; in `metadata.csv` the file that has it",
    name_of=png_of_mask,
)


def write(
    archive: Archive, curated_set: CuratedSet, items: QuerySet[CuratedItem], report: Report
) -> None:
    columns = Columns.of(items, MASKS)
    listed = list(items)
    parts = [
        listed[start : start + IMAGES_A_FILE] for start in range(0, len(listed), IMAGES_A_FILE)
    ]
    places: dict[int, str] = {}
    for number, part in enumerate(parts):
        name = f"data/train-{number:05d}-of-{len(parts):05d}.parquet"
        places |= dict.fromkeys((item.pk for item in part), name)
        archive.add(name, encode(part, columns))
        report(number * IMAGES_A_FILE + len(part))
    here = replace(columns, masks=replace(MASKS, name_of=lambda item, kind: places[item.pk]))
    add_table(archive, listed, here, name_of=lambda item: places[item.pk])
    add_card(archive, curated_set, columns, files=FILES, data_files=["data/*.parquet"])


def encode(items: Sequence[CuratedItem], columns: Columns) -> bytes:
    """Returns a Parquet file with a row an item; the pictures are PNGs, so nothing is packed."""
    import pyarrow as pa  # slow to import, and only exports need it
    from pyarrow import parquet

    rows = [_row(item, columns) for item in items]
    table = pa.Table.from_pylist(rows, schema_of(facts_of_item(items[0], columns), columns))
    file = io.BytesIO()
    parquet.write_table(table, file, compression="none")
    return file.getvalue()


def schema_of(facts: Mapping[str, object], columns: Columns) -> "pa.Schema":
    """Returns the columns' types, and the features by which ``datasets`` decodes pictures."""
    import pyarrow as pa

    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    scores = {column_of(slug) for slug in columns.criteria}
    masks = {mask_column_of(kind) for kind in columns.kinds}
    types: dict[str, pa.DataType] = {"image": picture}
    features: dict[str, dict[str, str]] = {"image": {"_type": "Image"}}
    for name, value in facts.items():
        alias = "float64" if name in scores else ALIASES[type(value)]
        types[name] = picture if name in masks else pa.type_for_alias(alias)
        features[name] = {"_type": "Image"} if name in masks else {"dtype": alias, "_type": "Value"}
    described = json.dumps({"info": {"features": features}})
    return pa.schema(list(types.items()), metadata={"huggingface": described})


def _row(item: CuratedItem, columns: Columns) -> dict[str, object]:
    facts = facts_of_item(item, columns)
    empty = {name: None for name, value in facts.items() if value == ""}
    masks = {
        mask_column_of(mask.kind): _picture(png_of_mask(item, mask.kind), mask.blob)
        for mask in item.candidate.recipe.conditioning
    }
    return {"image": _picture(png_name_of(item), item.candidate.image.blob)} | facts | empty | masks


def _picture(path: str, blob: Blob) -> dict[str, object]:
    return {"bytes": blob.read(), "path": path}


FORMAT = Format(
    name="parquet",
    label="Parquet with pictures, as Hugging Face has it (zip)",
    suffix="-parquet",
    opening=(
        'python -c "import datasets; '
        "print(datasets.load_dataset('parquet', data_dir='chest-x-rays/data')['train'][0])\""
    ),
    masks=MASKS,
    write=write,
)
