"""What the cells of an experiment said of the same test images, as arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.conditioning.facts import age_band
from generation.errors import RemediableError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Row = Mapping[str, Any]

MIN_SEEDS = 3
MIN_PATIENTS = 20
"""With fewer, nothing is concluded: an interval would be as wide as the scale or by chance none."""
UNKNOWN = ""
SEXES = {"F": "female", "M": "male"}
TRAITS: dict[str, Callable[[Row], str]] = {
    "sex": lambda row: SEXES.get(row.get("sex", ""), UNKNOWN),
    "age": lambda row: age_band(row.get("age_years")),
    "view": lambda row: row.get("view", ""),
    "race": lambda row: row.get("race", ""),
}
"""What test images are grouped by; empty where it is not known."""


@dataclass(frozen=True)
class TestImages:
    """The images that every cell is measured on; ``patients`` are numbered from 0."""

    __test__ = False  # no class of tests

    image_ids: tuple[str, ...]
    patients: Ints
    traits: Mapping[str, tuple[str, ...]]

    @property
    def patient_count(self) -> int:
        return int(self.patients.max()) + 1 if self.patients.size else 0

    def groups(self, trait: str) -> dict[str, Bools]:
        """Members of each group of a trait, by its name; those unknown are in none."""
        values = np.array(self.traits[trait])
        return {name: values == name for name in sorted(set(values.tolist()) - {UNKNOWN})}


@dataclass(frozen=True)
class Told:
    """It is what a classifier told of N images and F findings: F x N each; ``known`` where there
    is a truth.
    """

    truth: Bools
    known: Bools
    probability: Floats
    said: Bools


@dataclass(frozen=True)
class Drawn:
    """It is what a segmenter drew on N images; ``hd95`` is NaN where a mask is empty.

    ``trivial`` is the Dice of masks drawn without a look at the image, by their name.
    """

    dice: Floats
    hd95: Floats
    is_positive: Bools
    trivial: Mapping[str, Floats] = field(default_factory=dict)


Outcome = Told | Drawn


def read_images(rows: Sequence[Row]) -> TestImages:
    """Reads the images of one cell's predictions; the other cells' must be of the same ones."""
    ordered = _ordered(rows)
    _, patients = np.unique([str(row["patient"]) for row in ordered], return_inverse=True)
    return TestImages(
        image_ids=tuple(row["image_id"] for row in ordered),
        patients=patients.astype(np.int64),
        traits={name: tuple(of(row) for row in ordered) for name, of in TRAITS.items()},
    )


def read_outcome(rows: Sequence[Row], images: TestImages, *, findings: Sequence[str]) -> Outcome:
    """Returns one cell's predictions in the images' order; without findings, of a segmentation."""
    ordered = _ordered(rows)
    if tuple(row["image_id"] for row in ordered) != images.image_ids:
        raise RemediableError(
            "Two cells of one experiment were measured on different test images.",
            remedy="Start the experiment anew: its cells cannot be compared.",
        )
    if not findings:
        return Drawn(
            dice=np.array([row["dice"] for row in ordered], dtype=np.float64),
            hd95=np.array([row["hd95"] for row in ordered], dtype=np.float64),
            is_positive=np.array([row["is_positive"] for row in ordered], dtype=np.bool_),
            trivial={
                name: np.array([row["trivial"][name] for row in ordered], dtype=np.float64)
                for name in ordered[0].get("trivial", {})
            },
        )
    return Told(
        truth=_column(ordered, "truth", findings, missing=0).astype(np.bool_),
        known=np.array([[name in row["truth"] for row in ordered] for name in findings]),
        probability=_column(ordered, "probability", findings, missing=0),
        said=_column(ordered, "said", findings, missing=0).astype(np.bool_),
    )


def _ordered(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row["image_id"]))


def _column(rows: Sequence[Row], name: str, findings: Sequence[str], *, missing: float) -> Floats:
    values = [[row[name].get(finding, missing) for row in rows] for finding in findings]
    return np.array(values, dtype=np.float64)
