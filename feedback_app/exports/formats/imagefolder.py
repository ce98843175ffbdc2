"""A Hugging Face imagefolder: PNGs, and a table beside them."""

from django.db.models import QuerySet

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports.archives import Archive, write_table
from feedback_app.exports.card import Columns, describe_columns, write_card
from feedback_app.exports.formats.base import Format, Report
from feedback_app.exports.rows import facts_of_item, mask_name_of

TABLE = "metadata.csv"
FILES = """`images/` holds the PNGs, `metadata.csv` one row an image, `manifest.json` the
SHA-256 sum of every file. Open the folder with
`datasets.load_dataset("imagefolder", data_dir=...)`.

| column | meaning |
|---|---|
| file_name | the image's file |
"""


def name_of(item: CuratedItem) -> str:
    return f"images/{item.candidate.recipe_id}.png"


def write(
    archive: Archive, curated_set: CuratedSet, items: QuerySet[CuratedItem], report: Report
) -> None:
    columns = Columns.of(items)
    for done, item in enumerate(items, start=1):
        archive.add(name_of(item), item.candidate.image.blob.read())
        for mask in item.candidate.recipe.conditioning:
            archive.add(mask_name_of(item, mask.kind), mask.blob.read())
        report(done)
    rows = ({"file_name": name_of(item), **facts_of_item(item, columns)} for item in items)
    archive.add(TABLE, write_table(rows))
    card = write_card(curated_set, columns, table=TABLE, files=FILES + describe_columns(columns))
    archive.add("README.md", card)


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
