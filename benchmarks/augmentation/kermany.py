"""Kermany's children with and without pneumonia: who teaches the generator, who the arms.

Every patient has one role, drawn by a hash of their name. The generator's patients are in no
arm, in no validation and in no test (regime: extra data); of them a fifth is kept from the
generator too, to teach the classifier that measures and chooses its images.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.augmentation.roles import Role, role_of
from generation.datasets.splits import split_of
from generation.specs import Split, TrainingImage

FOLDER = "kermany"
FINDING = "pneumonia"
SHARES: Mapping[Role, float] = {"test": 0.165, "validation": 0.035, "arms": 0.1, "generator": 0.7}
OF_A_PATIENT = 2
"""Pictures of each of the generator's patients at most; of other patients there is one."""


@dataclass(frozen=True)
class Child:
    """A patient with the pictures that the source has of them."""

    name: str
    images: tuple[TrainingImage, ...]

    @property
    def role(self) -> Role:
        return role_of(self.name, source="kermany", shares=SHARES)


def read_children(data: Path) -> list[Child]:
    images: dict[str, list[TrainingImage]] = defaultdict(list)
    with (data / FOLDER / "labels.csv").open(newline="") as file:
        for line in sorted(csv.DictReader(file), key=lambda line: line["file"]):
            images[line["patient"]].append(
                TrainingImage(
                    path=str(data / FOLDER / "images" / line["file"]),
                    image_id=line["file"],
                    patient=line["patient"],
                    split="train",
                    findings=(FINDING,) if line["pneumonia"] == "1" else (),
                )
            )
    return [Child(name, tuple(found)) for name, found in sorted(images.items())]


def arm_rows(data: Path) -> list[TrainingImage]:
    """Returns one image of each patient of the arms, of validation and of the test."""
    splits: Mapping[Role, Split] = {"arms": "train", "validation": "validation", "test": "test"}
    return [
        _in_split(child.images[0], splits[child.role])
        for child in read_children(data)
        if child.role in splits
    ]


def generator_rows(data: Path) -> list[TrainingImage]:
    """The generator learns from the training split; what is held out only measures it."""
    return [_in_split(row, split) for row, split in _of_the_generator(data)]


def judge_rows(data: Path) -> list[TrainingImage]:
    """Returns what the generator did not learn from: the test split teaches, validation stops."""
    return [
        _in_split(row, "train" if split == "test" else "validation")
        for row, split in _of_the_generator(data)
        if split != "train"
    ]


def _of_the_generator(data: Path) -> Iterator[tuple[TrainingImage, Split]]:
    for child in read_children(data):
        if child.role == "generator":
            for row in child.images[:OF_A_PATIENT]:
                yield row, split_of(child.name, cohort=FOLDER)


def _in_split(row: TrainingImage, split: Split) -> TrainingImage:
    return replace(row, split=split)
