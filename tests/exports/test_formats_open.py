"""Every format is opened by the tool that it is for, with masks and with readers' regions."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import PIL.Image
import pydicom
import pytest

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.building import build
from feedback_app.exports.formats import FORMATS, NAMES
from feedback_app.exports.formats.dicom import SHOWN
from feedback_app.images.models import RecipeMask
from feedback_app.readings.models import Flag, Region, Score
from generation.conditioning.masks import MASK_KINDS
from tests.exports.unzipping import unzip_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def folders(masked_set: CuratedSet, tmp_path: Path) -> dict[str, Path]:
    """Every format of one set, unzipped, with the readings beside the images."""
    draw_box(masked_set)
    found: dict[str, Path] = {}
    for name in NAMES:
        path, again = tmp_path / f"{name}.zip", tmp_path / "again.zip"
        for target in (path, again):
            build(
                masked_set,
                file_format=FORMATS[name],
                path=target,
                report=lambda done: None,
                with_readings=True,
            )
        assert path.read_bytes() == again.read_bytes(), name
        found[name] = unzip_file(path, tmp_path / name)
    return found


def draw_box(curated_set: CuratedSet) -> None:
    image = curated_set.items.get(position=0).candidate.image
    reading = Score.objects.get(image=image, criterion__slug="realism").reading
    kind = reading.slot.study.flag_kinds.order_by("position")[0]
    flag = Flag.objects.create(reading=reading, image=image, kind=kind, grade="minor")
    Region.objects.create(flag=flag, shape="box", points=[[3, 4], [13, 24]])


def test_each_opens_by_its_own_tool(masked_set: CuratedSet, folders: dict[str, Path]) -> None:
    pictures = {
        item.candidate.recipe_id: np.asarray(
            PIL.Image.open(io.BytesIO(item.candidate.image.blob.read()))
        )
        for item in masked_set.items.all()
    }
    check_parquet(folders["parquet"], pictures)
    check_webdataset(folders["webdataset"], pictures)
    check_coco(folders["coco"])
    check_dicom(folders["dicom"], pictures)
    for folder in folders.values():
        check_croissant(folder)
        check_readings(folder)
        check_named(folder)


def check_parquet(folder: Path, pictures: dict[str, np.ndarray]) -> None:
    """As ``datasets`` does, which takes the features from the file's own metadata."""
    from pyarrow import parquet

    (path,) = (folder / "data").iterdir()
    table = parquet.read_table(path)
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == features["mask_lungs"] == {"_type": "Image"}
    assert features["seed"] == {"dtype": "int64", "_type": "Value"}
    rows = table.to_pylist()
    assert [row["mode"] for row in rows].count("t2i") == 1
    for row in rows:
        shown = np.asarray(PIL.Image.open(io.BytesIO(row["image"]["bytes"])))
        assert np.array_equal(shown, pictures[row["recipe"]])
        assert (row["mask_lungs"] is None) == (row["mode"] == "t2i")


def check_webdataset(folder: Path, pictures: dict[str, np.ndarray]) -> None:
    import webdataset

    (shard,) = (folder / "shards").iterdir()
    samples = list(webdataset.WebDataset(str(shard), shardshuffle=False).decode("l8"))
    assert {sample["__key__"] for sample in samples} == set(pictures)
    for sample in samples:
        assert np.array_equal(sample["png"], pictures[sample["__key__"]])
        assert ("mask_lungs.png" in sample) == (sample["json"]["mode"] != "t2i")


def check_coco(folder: Path) -> None:
    from pycocotools.coco import COCO

    annotations = COCO(folder / "annotations/instances.json")
    assert all((folder / image["file_name"]).is_file() for image in annotations.imgs.values())
    above = {key: one["supercategory"] for key, one in annotations.cats.items()}
    drawn = [one for one in annotations.anns.values() if above[one["category_id"]] == "flag"]
    assert [(one["bbox"], one["area"]) for one in drawn] == [([3, 4, 10, 20], 200)]
    assert annotations.annToMask(drawn[0])[4:24, 3:13].mean() > 0.9
    masks = [one for one in annotations.anns.values() if above[one["category_id"]] == "mask"]
    painted = sorted(int(annotations.annToMask(one).sum()) for one in masks)
    assert painted == sorted(
        int((np.asarray(PIL.Image.open(io.BytesIO(mask.blob.read()))) > 0).sum())
        for mask in RecipeMask.objects.all()
    )


def check_dicom(folder: Path, pictures: dict[str, np.ndarray]) -> None:
    from highdicom.seg import segread

    for key, shown in pictures.items():
        image = pydicom.dcmread(folder / f"images/{key}.dcm")
        assert np.array_equal(image.pixel_array, shown)
        assert (image.SyntheticData, image.ConversionType, image.Modality) == ("YES", "SYN", "OT")
        assert not image.StudyDate
    for mask in RecipeMask.objects.all():
        made = segread(folder / f"masks/{mask.kind}/{mask.recipe_id}.dcm")
        (source,) = made.get_source_image_uids()
        assert source[2] == pydicom.dcmread(folder / f"images/{mask.recipe_id}.dcm").SOPInstanceUID
        stored = np.asarray(PIL.Image.open(io.BytesIO(mask.blob.read()))) > 0
        assert np.array_equal(made.pixel_array.squeeze() > 0, stored)


def check_croissant(folder: Path) -> None:
    """By its JSON; the library itself is asked in a process of its own below."""
    described = json.loads((folder / "croissant.json").read_text())
    names = {file["contentUrl"] for file in described["distribution"]}
    assert "readings.csv" in names
    assert all((folder / name).is_file() for name in names)


def check_named(folder: Path) -> None:
    """Every file that a cell of the table names is there: in the folder, or in its shard."""
    there = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    there |= {f"chest-x-rays/{name}" for name in there}
    for shard in folder.rglob("*.tar"):
        with tarfile.open(shard) as opened:
            there |= set(opened.getnames())
    (table,) = {*folder.glob("metadata.csv"), *folder.glob("train.csv")}
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if name in {"file_name", "Path"} or is_of_mask(name)]
    named = [row[name] for row in rows for name in columns if row[name]]
    assert len(named) == 3 + 3
    assert set(named) <= there


def is_of_mask(column: str) -> bool:
    return column.startswith("mask_") and not column.endswith("_transforms")


def check_readings(folder: Path) -> None:
    lines = (folder / "readings.csv").read_text().splitlines()
    assert lines[0] == "recipe,reader,kind,name,value"
    assert sum(",score,realism,5" in line for line in lines) == 3
    assert sum(",flag," in line for line in lines) == 1
    assert "rosa" not in "".join(lines)
    assert "`readings.csv`" in (folder / "README.md").read_text()


def test_dciodvfy_finds_no_error(folders: dict[str, Path]) -> None:
    """But that it is older than the attribute Synthetic Data."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not there: install Debian's dicom3tools")
    for path in folders["dicom"].rglob("*.dcm"):
        done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        errors = re.findall(r"^Error.*", done.stderr, re.MULTILINE)
        assert [error for error in errors if "(0x0008,0x001c)" not in error] == [], path.name


def test_mlcroissant_reads_the_tables(folders: dict[str, Path], tmp_path: Path) -> None:
    """In a process of its own, whose imports are its own."""
    program = (
        "import mlcroissant, sys\n"
        "for path in sys.argv[1:]:\n"
        "    described = mlcroissant.Dataset(path)\n"
        "    for one in described.metadata.record_sets:\n"
        "        print(one.uuid, len(list(described.records(one.uuid))))\n"
    )
    paths = [folders[name] / "croissant.json" for name in ("imagefolder", "chexpert")]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *map(str, paths)],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path)},
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    found = done.stdout.split("\n")
    assert "metadata 3" in found
    assert "train 3" in found
    assert "readings 7" in found


def test_every_kind_of_mask_has_a_code_of_dicom() -> None:
    assert set(SHOWN) == set(MASK_KINDS)
