"""A Hugging Face imagefolder: PNGs, and a table beside them."""

from django.db.models import QuerySet

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports.archives import Archive
from feedback_app.exports.card import Columns
from feedback_app.exports.formats.base import Format, Report
from feedback_app.exports.formats.contents import add_card, add_pictures, add_table

FILES = """`images/` holds the PNGs, `metadata.csv` one row an image, `manifest.json` the
SHA-256 sum of every file. Open the folder with
`datasets.load_dataset("imagefolder", data_dir=...)`.

| column | meaning |
|---|---|
| file_name | the image's file |
"""


def write(
    archive: Archive, curated_set: CuratedSet, items: QuerySet[CuratedItem], report: Report
) -> None:
    columns = Columns.of(items)
    add_pictures(archive, items, report)
    add_table(archive, items, columns)
    add_card(archive, curated_set, columns, files=FILES)


FORMAT = Format(
    name="imagefolder",
    label="Hugging Face imagefolder (zip)",
    suffix="",
    opening=(
        'python -c "import datasets; '
        "print(datasets.load_dataset('imagefolder', data_dir='chest-x-rays'))\""
    ),
    write=write,
)
