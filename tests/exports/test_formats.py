"""Every format of exports, and who may choose one: by page and by command alike."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.formats import FORMATS, NAMES
from feedback_app.exports.models import Export
from feedback_app.exports.services import file_name_of, start_export
from feedback_app.images.models import Recipe
from feedback_app.runs import services as runs
from generation.datasets.chexpert import read_chexpert
from generation.datasets.parsed import SourceImage

pytestmark = pytest.mark.django_db


def export_in(name: str, curated_set: CuratedSet) -> Export:
    export = start_export(curated_set, file_format=name)
    runs.execute(export.run_id)
    export.refresh_from_db()
    assert export.blob is not None
    return export


def unzip(export: Export, folder: Path) -> Path:
    assert export.blob is not None
    with zipfile.ZipFile(io.BytesIO(export.blob.read())) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_every_format_has_images_card_and_manifest_and_is_the_same_again(
    curated_set: CuratedSet, tmp_path: Path, name: str
) -> None:
    export = export_in(name, curated_set)
    folder = unzip(export, tmp_path / "a")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format"] == name
    assert "Not for clinical use" in (folder / "README.md").read_text()
    assert export_in(name, curated_set).blob_id == export.blob_id
    assert FORMATS[name].name == name


def test_formats_of_a_set_have_files_of_different_names(curated_set: CuratedSet) -> None:
    names = {file_name_of(start_export(curated_set, file_format=name)) for name in NAMES}
    assert len(names) == len(NAMES)


def test_what_is_exported_like_chexpert_is_read_like_chexpert(
    curated_set: CuratedSet, tmp_path: Path
) -> None:
    """By the importer that reads the data set itself."""
    folder = unzip(export_in("chexpert", curated_set), tmp_path / "chest-x-rays")
    source = read_chexpert(folder, uncertain="ignore", views="all")
    images = [row for row in source.rows if isinstance(row, SourceImage)]
    assert source.total == len(images) == 4
    assert len({image.patient for image in images}) == 4
    recipes = [item.candidate.recipe for item in curated_set.items.order_by("position")]
    for image, recipe in zip(images, recipes, strict=True):
        assert image.path.is_file()
        assert set(image.findings) <= set(recipe.findings)
        assert image.is_normal == (not recipe.findings)


def test_a_prompt_fills_chexperts_columns(curated_set: CuratedSet, tmp_path: Path) -> None:
    item = curated_set.items.select_related("candidate").order_by("position")[0]
    Recipe.objects.filter(pk=item.candidate.recipe_id).update(
        prompt="chest x-ray, AP view, female, 60 years, edema, nodule", findings=["edema", "nodule"]
    )
    folder = unzip(export_in("chexpert", curated_set), tmp_path)
    head, first = (folder / "train.csv").read_text().splitlines()[:2]
    assert head.startswith("Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,")
    cells = dict(zip(head.split(","), first.replace('"', "").split(","), strict=False))
    assert cells["Path"] == "chest-x-rays/train/patient00001/study1/view1_frontal.png"
    assert (cells["Sex"], cells["Age"], cells["AP/PA"]) == ("Female", "60", "AP")
    named = {name for name in ("Edema", "Lung Lesion", "Pneumonia", "No Finding") if cells[name]}
    assert named == {"Edema", "Lung Lesion"}


@pytest.mark.parametrize(("name", "is_good"), [*((name, True) for name in NAMES), ("tar", False)])
def test_page_and_command_take_the_same_formats(
    ada_client: Client, curated_set: CuratedSet, name: str, is_good: bool
) -> None:
    posted = {"curated_set": curated_set.pk, "format": name}
    answer = ada_client.post(reverse("exports:create"), posted)
    assert answer.status_code == (302 if is_good else 404)
    out = io.StringIO()
    if is_good:
        call_command("export", str(curated_set.pk), format=name, stdout=out)
    else:
        with pytest.raises(CommandError, match="format = 'tar'"):
            call_command("export", str(curated_set.pk), format=name, stdout=out)
    formats = list(Export.objects.values_list("format", flat=True))
    assert formats == ([name, name] if is_good else [])


def test_the_page_of_a_set_offers_every_format(ada_client: Client, curated_set: CuratedSet) -> None:
    page = ada_client.get(reverse("curation:set", args=[curated_set.pk])).content.decode()
    for one in FORMATS.values():
        assert f'<option value="{one.name}"' in page
    export = export_in("chexpert", curated_set)
    page = ada_client.get(reverse("exports:export", args=[export.pk])).content.decode()
    assert "pandas.read_csv" in page
    assert "CheXpert" in page
