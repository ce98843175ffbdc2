"""What the archives of several formats hold alike: pictures, a table beside them, and a card."""

from collections.abc import Callable, Iterable, Sequence

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports import readings
from feedback_app.exports.archives import Archive
from feedback_app.exports.card import Columns, describe_columns, write_card
from feedback_app.exports.formats.base import Report
from feedback_app.exports.masks import png_of_mask
from feedback_app.exports.rows import facts_of_item
from feedback_app.images.models import RecipeMask

TABLE = "metadata.csv"
Name = Callable[[CuratedItem], str]
"""Gives the path of an item's image in the archive."""


def png_name_of(item: CuratedItem) -> str:
    return f"images/{item.candidate.recipe_id}.png"


def add_pictures(
    archive: Archive,
    items: Iterable[CuratedItem],
    report: Report,
    *,
    name_of: Name = png_name_of,
    see_mask: Callable[[RecipeMask, bytes], None] = lambda mask, content: None,
) -> None:
    """Puts every image, and the masks that it follows, in as the PNGs that are stored.

    ``see_mask`` is shown each mask's file as it goes by.
    """
    for done, item in enumerate(items, start=1):
        archive.add(name_of(item), item.candidate.image.blob.read())
        for mask in item.candidate.recipe.conditioning:
            content = mask.blob.read()
            archive.add(png_of_mask(item, mask.kind), content)
            see_mask(mask, content)
        report(done)


def add_table(
    archive: Archive, items: Iterable[CuratedItem], columns: Columns, *, name_of: Name = png_name_of
) -> None:
    """Puts ``metadata.csv`` in: a row an image, which says where it comes from."""
    rows = ({"file_name": name_of(item), **facts_of_item(item, columns)} for item in items)
    archive.add_table(TABLE, rows)


def add_card(
    archive: Archive,
    curated_set: CuratedSet,
    columns: Columns,
    *,
    files: str,
    table: str = TABLE,
    data_files: Sequence[str] = (),
) -> None:
    """Puts the card in; ``files`` describes the files, and ends in a table of columns."""
    described = files + describe_columns(columns)
    if readings.TABLE in archive.files:
        described += readings.FILES
    card = write_card(curated_set, columns, table=table, files=described, data_files=data_files)
    archive.add("README.md", card)
