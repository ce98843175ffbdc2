"""Exports say which images were repaired, of what; others are the same bytes as ever."""

import csv
import io
import zipfile
from pathlib import Path

import pytest

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.building import build, items_of
from feedback_app.exports.formats import FORMATS
from feedback_app.images.models import Repair

REGION = [[0, 0], [4, 0], [4, 4]]


@pytest.mark.parametrize("name", ["imagefolder", "parquet"])
def test_a_repair_names_its_original_and_regions(
    curated_set: CuratedSet, tmp_path: Path, name: str
) -> None:
    first, second, *_ = items_of(curated_set)
    files = FORMATS[name]
    build(curated_set, file_format=files, path=tmp_path / "before.zip", report=lambda done: None)
    recipe = second.candidate.recipe
    Repair.objects.create(recipe=recipe, original=first.candidate, regions=[REGION])
    build(curated_set, file_format=files, path=tmp_path / "after.zip", report=lambda done: None)
    with zipfile.ZipFile(tmp_path / "before.zip") as archive:
        card = next(one for one in archive.namelist() if one.endswith("README.md"))
        assert b"repair_of" not in archive.read(card)
    with zipfile.ZipFile(tmp_path / "after.zip") as archive:
        assert b"| repair_of |" in archive.read(card)
        if name == "parquet":
            return
        rows = list(csv.DictReader(io.StringIO(archive.read("metadata.csv").decode())))
    told = {row["recipe"]: (row["repair_of"], row["repaired_regions"]) for row in rows}
    assert told.pop(recipe.key) == (first.candidate.image.pixels_sha256, "[[[0,0],[4,0],[4,4]]]")
    assert set(told.values()) == {("", "")}
