"""A Hugging Face imagefolder: PNGs, and a table beside them."""

from dataclasses import replace

from django.db.models import QuerySet

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports.archives import Archive
from feedback_app.exports.card import Columns
from feedback_app.exports.formats.base import Format, Report
from feedback_app.exports.formats.contents import add_card, add_pictures, add_table
from feedback_app.exports.masks import PNGS, mask_column_of

FILES = """`images/` holds the PNGs, `metadata.csv` one row an image, `manifest.json` the
SHA-256 sum of every file. Open the folder with
`datasets.load_dataset("imagefolder", data_dir=...)`, or by its own path.

| column | meaning |
|---|---|
| file_name | the image's file |
"""
DATA_FILES = ("metadata.csv", "images/**")
MASKS = replace(
    PNGS,
    place=f"{PNGS.place}, which Hugging Face datasets loads as image columns",
    column_of=lambda kind: f"{mask_column_of(kind)}_file_name",
    meaning="the file of the mask of {kind} that it follows, if any; an image for `datasets`",
)
"""``datasets`` loads the file that a column ``NAME_file_name`` names as the image ``NAME``."""


def write(
    archive: Archive, curated_set: CuratedSet, items: QuerySet[CuratedItem], report: Report
) -> None:
    columns = Columns.of(items, MASKS)
    add_pictures(archive, items, report)
    add_table(archive, items, columns)
    add_card(archive, curated_set, columns, files=FILES, data_files=DATA_FILES)


FORMAT = Format(
    name="imagefolder",
    label="Hugging Face imagefolder (zip)",
    suffix="",
    opening=(
        'python -c "import datasets; '
        "print(datasets.load_dataset('imagefolder', data_dir='chest-x-rays'))\""
    ),
    masks=MASKS,
    write=write,
)
