"""Opacity boxes of the RSNA challenge on the NIH images they were drawn on."""

import json
from pathlib import Path

import pytest

from generation.datasets.parsed import Skip, SourceBox
from generation.datasets.rsna import MAP_JSON, read_opacity_boxes
from generation.errors import RemediableError
from tests.generation.nih_folders import lay_out, parse_with

LABELS = """patientId,x,y,width,height,Target
p1,512,256,128,256,1
p1,0,0,64,64,1
p2,,,,,0
p3,1000,0,128,64,1
p4,0,0,64,64,1
"""
MAP = "patientId,Image Index\np1,a.png\np2,b.png\np3,c.png\n"
OPACITY = SourceBox(finding="lung opacity", x=0.5, y=0.25, width=0.125, height=0.25)


@pytest.fixture
def rsna(tmp_path: Path) -> Path:
    folder = tmp_path / "rsna"
    folder.mkdir()
    (folder / "stage_2_train_labels.csv").write_text(LABELS)
    (folder / "nih_map.csv").write_text(MAP)
    return folder


def test_boxes_are_fractions_of_the_mapped_image_and_the_rest_is_reported(rsna: Path) -> None:
    boxes, skipped = read_opacity_boxes(rsna)
    corner = SourceBox(finding="lung opacity", x=0, y=0, width=0.0625, height=0.0625)
    assert dict(boxes) == {"a.png": [OPACITY, corner]}
    assert skipped == [
        Skip(file="p3", what="box", reason="its box does not lie within 1024 x 1024 pixels"),
        Skip(file="p4", what="box", reason="is not in the mapping to NIH images"),
    ]


def test_the_challenges_own_mapping_says_the_same(rsna: Path) -> None:
    from_table = read_opacity_boxes(rsna)
    (rsna / "nih_map.csv").unlink()
    entries = [
        {"subset_img_id": f"p{n}", "img_id": f"{name}.png"}
        for n, name in ((1, "a"), (2, "b"), (3, "c"))
    ]
    (rsna / MAP_JSON).write_text(json.dumps(entries))
    assert read_opacity_boxes(rsna) == from_table


@pytest.mark.parametrize("content", ["not json", '[{"img_id": "a.png"}]', "[1]"])
def test_another_mapping_is_refused(rsna: Path, content: str) -> None:
    (rsna / "nih_map.csv").unlink()
    (rsna / MAP_JSON).write_text(content)
    with pytest.raises(RemediableError, match="not the challenge's mapping"):
        read_opacity_boxes(rsna)


def test_without_a_mapping_nothing_is_guessed(rsna: Path) -> None:
    (rsna / "nih_map.csv").unlink()
    with pytest.raises(RemediableError, match="holds neither"):
        read_opacity_boxes(rsna)


def test_nih_images_come_in_with_their_opacities(tmp_path: Path, rsna: Path) -> None:
    folder = lay_out(tmp_path, "a.png,Edema,0,1,50,F,PA", files=("a.png",))
    images, skipped = parse_with(folder, rsna=rsna)
    assert OPACITY in images[0].boxes
    assert len(skipped) == 2
