"""WebDataset: tar shards whose files of one name and several suffixes are one sample."""

import io
import json
import tarfile
import tempfile
from collections.abc import Iterator

from django.db.models import QuerySet

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports.archives import Archive
from feedback_app.exports.card import Columns
from feedback_app.exports.formats.base import Format, Report
from feedback_app.exports.formats.contents import add_card, add_table
from feedback_app.exports.masks import Masks
from feedback_app.exports.rows import facts_of_item

IMAGES_A_SHARD = 1000
FILES = f"""`shards/` holds tar files of at most {IMAGES_A_SHARD:,} samples: `KEY.png` is the image,
`KEY.json` its row of `metadata.csv`, `KEY.mask_KIND.png` a mask that it follows.
`manifest.json` has the SHA-256 sum of every file. Open the shards with
`webdataset.WebDataset(...).decode("pil").to_tuple("png", "json")`.

| column | meaning |
|---|---|
| file_name | the sample's key with `.png` |
"""


def write(
    archive: Archive, curated_set: CuratedSet, items: QuerySet[CuratedItem], report: Report
) -> None:
    columns = Columns.of(items, MASKS)
    listed = list(items)
    for number, start in enumerate(range(0, len(listed), IMAGES_A_SHARD)):
        part = listed[start : start + IMAGES_A_SHARD]
        with tempfile.TemporaryFile(dir=archive.folder) as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as shard:
                for done, item in enumerate(part, start=start + 1):
                    for name, content in files_of(item, columns):
                        entry = tarfile.TarInfo(name)  # of 1970, of nobody: the same bytes again
                        entry.size = len(content)
                        shard.addfile(entry, io.BytesIO(content))
                    report(done)
            archive.add_file(f"shards/shard-{number:06d}.tar", file)
    add_table(archive, listed, columns, name_of=name_of)
    add_card(archive, curated_set, columns, files=FILES, data_files=["shards/*.tar"])


def name_of(item: CuratedItem) -> str:
    return f"{item.candidate.recipe_id}.png"


def mask_name_of(item: CuratedItem, kind: str) -> str:
    return f"{item.candidate.recipe_id}.mask_{kind}.png"


MASKS = Masks(
    place="in the shards, as PNGs of 0 and 255 beside their images",
    meaning="the file in the shard with the mask of {kind} that it follows, if any",
    name_of=mask_name_of,
)


def files_of(item: CuratedItem, columns: Columns) -> Iterator[tuple[str, bytes]]:
    """Yields the files of one sample: WebDataset wants them side by side."""
    key = item.candidate.recipe_id
    yield f"{key}.png", item.candidate.image.blob.read()
    yield f"{key}.json", json.dumps(facts_of_item(item, columns), sort_keys=True).encode()
    for mask in item.candidate.recipe.conditioning:
        yield mask_name_of(item, mask.kind), mask.blob.read()


FORMAT = Format(
    name="webdataset",
    label="WebDataset shards (zip)",
    suffix="-webdataset",
    opening=(
        'python -c "import webdataset; '
        "print(next(iter(webdataset.WebDataset('chest-x-rays/shards/shard-000000.tar'))))\""
    ),
    masks=MASKS,
    write=write,
)
