"""One downstream model of an experiment: what it learns from, and how."""

from typing import Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from generation.specs.proxies import ClassifierNetwork
from generation.specs.strict import STRICT

Precision = Literal["float32", "bfloat16"]
Task = Literal["classification", "segmentation"]
Arm = Literal[
    "real",
    "unfiltered",
    "own_generator",
    "curated",
    "finetuned_curated",
    "pretrained",
    "synthetic",
    "transformed",
]
"""What a downstream model learns from: real images alone; and synthetic ones as they were
generated; and images of a generator that learnt from these real images alone; and a curated
set; and a curated set of a fine-tuned model; synthetic images first
and then real ones; synthetic images alone; real images and transformed copies of them."""
Stopping = Literal["validation", "fixed"]
"""When a training ends, and where the threshold is: both as the validation split says, or after
all steps and at one half, as for somebody who has no images to spare."""
ARMS: tuple[Arm, ...] = get_args(Arm)
ARMS_OF_REAL_IMAGES: tuple[Arm, ...] = ("real", "transformed")
"""The arms without a synthetic image."""
OWN_GENERATOR: Arm = "own_generator"
"""The arm whose synthetic images come of a generator for each of its cells."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CellSpec:
    """Train one downstream model of an experiment and measure it on real test images.

    ``real`` is a training manifest of the cohort, all splits; ``training_ids`` are the image
    ids of the training split that this cell may learn from; ``synthetic`` is a manifest (split
    train) of as many or more synthetic images, of which ``synthetic_count`` are drawn by seed,
    balanced over what is asked for (``findings``, and none of them; nothing for segmentation).
    In the arm ``transformed`` that count is of transformed copies of the real images.
    A classifier says of each of the ``findings`` whether it is there; a segmenter draws
    ``kind`` with ``widths``. When to stop, and the threshold, follow from the validation split
    by one rule, the same in every arm; where ``stopping`` is fixed, no validation image is read.
    """

    task: Task
    arm: Arm
    real: str = Field(min_length=1)
    training_ids: tuple[str, ...] = ()
    synthetic: str = ""
    synthetic_count: int = Field(default=0, ge=0)
    findings: tuple[str, ...] = ()
    kind: str = Field(default="lungs", min_length=1, max_length=32)
    resolution: int = Field(default=128, ge=32, le=1024, multiple_of=32)
    network: ClassifierNetwork = "small"
    widths: tuple[int, ...] = Field(default=(16, 32, 64, 96, 128), min_length=2, max_length=6)
    max_steps: int = Field(default=400, ge=1)
    batch_size: int = Field(default=16, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    evaluate_every: int = Field(default=20, ge=1)
    patience: int = Field(default=8, ge=1)
    stopping: Stopping = "validation"
    precision: Precision = "bfloat16"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _task_says_what_it_is_about(self) -> Self:
        if self.task == "classification" and not self.findings:
            raise ValueError("a classification names the findings that it is about")
        if self.task == "segmentation" and self.findings:
            raise ValueError("a segmentation is about no findings")
        for name, values in (("findings", self.findings), ("training_ids", self.training_ids)):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names something twice")
        return self

    @model_validator(mode="after")
    def _arm_has_what_it_learns_from(self) -> Self:
        if self.arm in ARMS_OF_REAL_IMAGES and self.synthetic:
            raise ValueError(f"the arm {self.arm!r} has no synthetic images")
        if self.arm not in ARMS_OF_REAL_IMAGES and not self.synthetic:
            raise ValueError(f"the arm {self.arm!r} needs synthetic images")
        if (self.synthetic_count > 0) == (self.arm == "real"):
            wanted = "0" if self.arm == "real" else "above 0"
            raise ValueError(f"synthetic_count has to be {wanted} in the arm {self.arm!r}")
        if (self.arm == "synthetic") == bool(self.training_ids):
            wanted = "empty" if self.arm == "synthetic" else "filled"
            raise ValueError(f"training_ids have to be {wanted} in the arm {self.arm!r}")
        return self
