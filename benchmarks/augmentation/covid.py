"""COVID-QU-Ex with masks of lungs and infection: who teaches the generator, who the arms.

The source names no patients, and has near copies: pictures that look alike, as imports tell it,
are one patient here. Every patient has one role, drawn by a hash of their first picture's name.
Those of the generator are in no arm, in no validation and in no test (regime: extra data); a
fifth of them is kept from the generator too, to teach what measures its images.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.augmentation.pools import is_movable
from benchmarks.augmentation.roles import Role, role_of
from generation.conditioning.masks import encode_mask, read_mask
from generation.conditioning.variants import Parent
from generation.datasets.fingerprints import fingerprint
from generation.datasets.splits import split_of
from generation.specs import MaskKind, Split, TrainingImage
from generation.vlm.instructions.grouping import Joined, find_alike

FOLDER = "covid_qu"
FINDING = "lung opacity"
LESION: MaskKind = "opacity"
LUNGS: MaskKind = "lungs_without_heart"
SICK, HEALTHY = "COVID-19", "Normal"
"""The third class, pneumonia of other causes, has opacities that nobody outlined."""
SHARES: Mapping[Role, float] = {"test": 0.25, "validation": 0.05, "arms": 0.15, "generator": 0.55}
CELL_SIDE = 128
"""Cells read images and masks at twice their resolution of 64."""


@dataclass(frozen=True)
class Picture:
    """``patient`` is the first picture of those that look alike."""

    name: str
    is_sick: bool
    patient: str

    @property
    def role(self) -> Role:
        return role_of(self.patient, source="covid", shares=SHARES)


@cache
def read_pictures(data: Path) -> tuple[Picture, ...]:
    with (data / FOLDER / "labels.csv").open(newline="") as file:
        kinds = {line["file"]: line["class"] for line in csv.DictReader(file)}
    joined = Joined()
    looks = []
    for name in sorted(kinds):
        joined.find(name)
        with Image.open(data / FOLDER / "images" / name) as picture:
            looks.append((name, fingerprint(picture)))
    for one, other in find_alike(looks):
        joined.join(one, other)
    return tuple(
        Picture(name, kinds[name] == SICK, joined.find(name))
        for name in sorted(kinds)
        if kinds[name] in (SICK, HEALTHY)
    )


def arm_rows(data: Path, work: Path) -> list[TrainingImage]:
    """Pairs of the arms, of validation and of the test, which has healthy pictures too.

    A pair of the arms has a mask that moved copies can be made of, in every arm alike.
    """
    splits: Mapping[Role, Split] = {"arms": "train", "validation": "validation", "test": "test"}
    rows = [
        row_of(picture, splits[picture.role], data, work)
        for picture in read_pictures(data)
        if picture.role == "test" or (picture.role in splits and picture.is_sick)
    ]
    movable = _movable([row for row in rows if row.split == "train"], work / "movable.json")
    return [row for row in rows if row.split != "train" or row.image_id in movable]


def _movable(rows: Sequence[TrainingImage], path: Path) -> set[str]:
    if not path.exists():
        path.write_text(json.dumps([row.image_id for row in rows if can_be_moved(row)]))
    return set(json.loads(path.read_text()))


def can_be_moved(row: TrainingImage) -> bool:
    mask = read_mask(Path(row.masks[LESION]), side=CELL_SIDE)
    return is_movable(Parent({LESION: mask}, hashes={}), seed=0)


def generator_rows(data: Path, work: Path) -> list[TrainingImage]:
    """The generator learns from the training split; what is held out only measures it."""
    return list(_of_the_generator(data, work))


def judge_rows(data: Path, work: Path) -> list[TrainingImage]:
    """Returns what the generator did not learn from: the test split teaches, validation stops."""
    return [
        replace(row, split="train" if row.split == "test" else "validation")
        for row in _of_the_generator(data, work)
        if row.split != "train"
    ]


def _of_the_generator(data: Path, work: Path) -> Iterator[TrainingImage]:
    for picture in read_pictures(data):
        if picture.role == "generator" and picture.is_sick:
            split = split_of(picture.patient, cohort=FOLDER)
            yield row_of(picture, split, data, work)


def row_of(picture: Picture, split: Split, data: Path, work: Path) -> TrainingImage:
    """A healthy picture has an empty mask of infection: there is none."""
    mask = Path(picture.name).with_suffix(".png").name
    lesion = data / FOLDER / "infection" / mask if picture.is_sick else None
    return TrainingImage(
        path=str(data / FOLDER / "images" / picture.name),
        image_id=picture.name,
        patient=picture.patient,
        split=split,
        findings=(FINDING,) if picture.is_sick else (),
        masks={
            LESION: str(_as_grey(lesion, work / "masks" / LESION / mask)),
            LUNGS: str(_as_grey(data / FOLDER / "lungs" / mask, work / "masks" / LUNGS / mask)),
        },
    )


def _as_grey(source: Path | None, path: Path) -> Path:
    """Masks of one bit as imports write them, of 0 and 255; none is an empty one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        mask = np.zeros((CELL_SIDE, CELL_SIDE), dtype=bool)
        if source is not None:
            with Image.open(source) as picture:
                mask = np.asarray(picture.convert("L")) > 127
        path.write_bytes(encode_mask(mask))
    return path
