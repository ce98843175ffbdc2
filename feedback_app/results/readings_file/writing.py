"""The tables as CSV, as Parquet, and the regions as COCO; each streams."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from feedback_app.csv_files import csv_lines
from feedback_app.readings.outlines import outline_of
from feedback_app.results.readings_file import imrmc, pairs
from feedback_app.results.readings_file.columns import TABLES, Column, Table, annotated
from feedback_app.results.readings_file.rows import StudyRows, dictionary, header_of
from feedback_app.studies.models import CaseImage

ROWS_AT_ONCE = 10_000
DICTIONARY = "dictionary"
COCO = "regions.coco"
NUMBERS = {
    "case", "repetition", "position", "revision", "value", "strength", "better_image_strength",
    "changed_characters", "changed_words", "left_report",
}  # fmt: skip
TRUTHS = {
    "is_simulated",
    "is_last_revision",
    "is_retracted",
    "none_acceptable",
    "is_accepted",
    "is_confirmed",
}


def csv_of(rows: StudyRows, table: Table) -> Iterator[str]:
    return csv_lines(header_of(table), rows.of(table))


def csv_of_dictionary() -> Iterator[str]:
    return csv_lines(("table", "column", "meaning"), dictionary(TABLES.values()))


def write_parquet(rows: StudyRows, table: Table, path: Path) -> None:
    """Writes a table in row groups of ``ROWS_AT_ONCE``; the columns' meanings go with it."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema(
        [
            pa.field(column.name, _type_of(table, column), metadata={"meaning": column.meaning})
            for column in table.all_columns
        ]
    )
    found = rows.of(table)
    with parquet.ParquetWriter(path, schema) as writer:
        while part := list(islice(found, ROWS_AT_ONCE)):
            cells = zip(*part, strict=True)
            arrays = [
                pa.array(cell, type=field.type) for cell, field in zip(cells, schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _type_of(table: Table, column: Column) -> Any:
    """Points of a preference are a number, those of a region its corners."""
    import pyarrow as pa

    if (table.name, column.name) == ("preferences", "points"):
        return pa.int32()
    if column.name in TRUTHS:
        return pa.bool_()
    if column.name == "seconds":
        return pa.float64()
    return pa.int32() if column.name in NUMBERS else pa.string()


def coco_of(rows: StudyRows) -> Iterator[str]:
    """Yields a COCO file of the regions that count: of last revisions, not retracted."""
    study = rows.study
    kinds = list(study.flag_kinds.order_by("position"))
    places = list(
        CaseImage.objects.filter(case__study=study)
        .select_related("image", "case")
        .order_by("case__position", "position")
    )
    numbers = {place.image_id: number for number, place in enumerate(places, start=1)}
    images = [
        {
            "id": number,
            "file_name": f"{place.case.position + 1}-{place.position + 1}.png",
            "width": place.image.width,
            "height": place.image.height,
        }
        for number, place in enumerate(places, start=1)
    ]
    head = {
        "info": {"description": f"Regions that readers drew in the study {study.name}"},
        "images": images,
        "categories": [{"id": kind.pk, "name": kind.slug} for kind in kinds],
    }
    yield json.dumps(head)[:-1] + ', "annotations": ['
    separator = ""
    for number, region in enumerate(_regions(rows), start=1):
        annotation = _annotation(region, number, image=numbers[region["flag__image"]])
        annotation["attributes"] = {
            "reader": rows.reader(region["who"]),
            "grade": region["flag__grade"],
        }
        yield separator + json.dumps(annotation)
        separator = ", "
    yield "]}"


def _regions(rows: StudyRows) -> Iterator[dict[str, Any]]:
    regions = annotated(TABLES["regions"]).filter(of_study=rows.study.pk, is_last=True)
    wanted = ("pk", "shape", "points", "flag__image", "flag__kind", "flag__grade", "who")
    for row in regions.values(*wanted).iterator(chunk_size=ROWS_AT_ONCE):
        if not rows.is_retracted(row["who"]):
            yield row


def _annotation(region: dict[str, Any], number: int, *, image: int) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": region["flag__kind"],
        "iscrowd": 0,
    } | outline_of(region["shape"], region["points"])


def write_folder(rows: StudyRows, folder: Path, *, form: str) -> list[Path]:
    """Writes every table, the dictionary and the regions as COCO; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for table in TABLES.values():
        path = folder / f"{table.name}.{form}"
        if form == "parquet":
            write_parquet(rows, table, path)
        else:
            _write(path, csv_of(rows, table))
        written.append(path)
    for name, parts in (
        (f"{DICTIONARY}.csv", csv_of_dictionary()),
        (f"{COCO}.json", coco_of(rows)),
    ):
        _write(folder / name, parts)
        written.append(folder / name)
    if pairs.has_pairs(rows.study):
        path = folder / f"{pairs.NAME}.{pairs.FORM}"
        _write(path, pairs.pairs_of(rows))
        written.append(path)
    for kind in imrmc.FORMS if imrmc.has_truth(rows.study) else ():
        path = folder / f"{imrmc.NAME}.{kind}"
        _write(path, imrmc.imrmc_of(rows, form=kind))
        written.append(path)
    return written


def _write(path: Path, parts: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(parts)
