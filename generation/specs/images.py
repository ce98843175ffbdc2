"""Real and synthetic images that something is trained on, and the masks that go with them."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from generation.specs.strict import STRICT

MaskKind = Literal[
    "lungs",
    "heart",
    "pneumothorax",
    "rib_fracture",
    "tube",
    "opacity",
    "lungs_without_heart",
]
"""The kinds of masks, in the order of a control image's channels; new ones come last.

``lungs`` are the two fields with what lies behind the heart, as V7 Labs outlines them and the
bundled model learnt them; ``lungs_without_heart`` end at its border, as in CheXmask, JSRT,
COVID-QU-Ex and the NLM's sets.
"""
Split = Literal["train", "validation", "test"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MaskFile:
    """It is a PNG of 0 and 255, of the candidate's size, with one kind of mask."""

    kind: MaskKind
    path: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TrainingImage:
    """It is one line of a training manifest (JSON lines).

    ``masks`` are paths of 0/255 PNGs of the image's size, by kind; ``unknown`` are
    findings of which the source does not say whether they are there.
    """

    path: str
    image_id: str
    patient: str
    split: Split
    findings: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    masks: dict[str, str] = Field(default_factory=dict)
    view: str = ""
    sex: str = ""
    race: str = ""
    age_years: int | None = None
