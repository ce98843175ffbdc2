"""Exports of images that follow masks carry these; others are the same bytes as ever."""

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.building import build as build_archive
from feedback_app.exports.formats import FORMATS
from feedback_app.exports.services import start_export
from feedback_app.images.models import Recipe, RecipeMask
from feedback_app.runs import services as runs
from tests.exports.masked import SIDE
from tests.exports.offline import run_offline


def build(curated_set: CuratedSet, path: Path) -> dict[str, bytes]:
    build_archive(
        curated_set, file_format=FORMATS["imagefolder"], path=path, report=lambda done: None
    )
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_each_images_masks_are_there_by_kind_with_their_sums(
    masked_set: CuratedSet, tmp_path: Path
) -> None:
    files = build(masked_set, tmp_path / "a.zip")
    rows = {
        row["recipe"]: row for row in csv.DictReader(io.StringIO(files["metadata.csv"].decode()))
    }
    manifest = json.loads(files["manifest.json"])["files"]
    assert {row["mode"] for row in rows.values()} == {"t2i", "m2i", "tm2i"}
    assert len(rows) == Recipe.objects.count() == 3
    for key, row in rows.items():
        masks = {mask.kind: mask for mask in RecipeMask.objects.filter(recipe=key)}
        for kind in ("lungs", "opacity"):
            name = row[f"mask_{kind}_file_name"]
            if kind not in masks:
                assert (name, row[f"mask_{kind}_transforms"]) == ("", "")
                continue
            assert name == f"masks/{kind}/{key}.png"
            assert files[name] == masks[kind].blob.read()
            assert manifest[name]["sha256"] == hashlib.sha256(files[name]).hexdigest()
            assert json.loads(row[f"mask_{kind}_transforms"]) == masks[kind].transforms != []
            with PIL.Image.open(io.BytesIO(files[name])) as picture:
                assert (picture.mode, picture.size) == ("L", (SIDE, SIDE))
                assert set(np.unique(np.asarray(picture))) == {0, 255}
    assert sum(name.startswith("masks/") for name in files) == 3


def test_the_card_says_what_the_masks_are(masked_set: CuratedSet, tmp_path: Path) -> None:
    card = build(masked_set, tmp_path / "a.zip")["README.md"].decode()
    assert "## Masks" in card
    assert "- lungs: 2 images\n- opacity: 1 images" in card
    assert "from the cohort ward" in card
    assert "| mask_opacity_file_name | the file of the mask of opacity that it follows" in card


def test_building_it_again_gives_the_same_bytes(masked_set: CuratedSet, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        build(masked_set, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_set_without_masks_has_nothing_about_them(
    curated_set: CuratedSet, tmp_path: Path
) -> None:
    files = build(curated_set, tmp_path / "a.zip")
    assert not any("mask" in name for name in files)
    assert b"mask" not in files["metadata.csv"] + files["README.md"]
    assert files["metadata.csv"].splitlines()[0].endswith(b",recipe,pixels_sha256")


def test_the_page_says_how_many_masks_of_each_kind_there_are(
    masked_set: CuratedSet, curated_set: CuratedSet, ada_client: Client
) -> None:
    pages = []
    for one in (masked_set, curated_set):
        export = start_export(one)
        runs.execute(export.run_id)
        address = reverse("exports:export", args=[export.pk])
        pages.append(ada_client.get(address).content.decode())
    assert "2 of lungs, 1 of opacity, as PNGs" in " ".join(pages[0].split())
    assert "<dt>Masks</dt>" not in pages[1]
    shown = ada_client.get(reverse("curation:set", args=[masked_set.pk])).content.decode()
    assert 'alt="No prompt"' in shown  # of an image that follows masks alone


@pytest.mark.slow
def test_datasets_loads_masks_as_images_and_hugging_face_reads_the_card(
    masked_set: CuratedSet, tmp_path: Path
) -> None:
    """By the libraries themselves, in a process of their own, without a network."""
    build(masked_set, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "unzipped")
    program = (
        "import datasets, huggingface_hub, json, sys\n"
        "by_name = datasets.load_dataset('imagefolder', data_dir=sys.argv[1], split='train')\n"
        "rows = datasets.load_dataset(sys.argv[1], split='train')\n"
        "card = huggingface_hub.DatasetCard.load(sys.argv[1] + '/README.md').data\n"
        "print(json.dumps([len(by_name), {row['mode']: [row[name] and row[name].size for name in"
        " ('image', 'mask_lungs', 'mask_opacity')] for row in rows},"
        " card.pretty_name, card.size_categories]))\n"
    )
    size = [SIDE, SIDE]
    shown = {"t2i": [size, None, None], "m2i": [size, size, None], "tm2i": [size, size, size]}
    found = run_offline(program, tmp_path / "unzipped", home=tmp_path)
    assert found == [3, shown, "Masks", ["n<1K"]]
