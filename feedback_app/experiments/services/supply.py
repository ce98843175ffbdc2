"""Whether there are images enough: real ones for the sizes, synthetic ones for the ratios."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from feedback_app.experiments.labels import ARM_LABELS, FOLD
from feedback_app.experiments.services.design import Design
from feedback_app.experiments.services.grid import grid_of
from feedback_app.experiments.services.subsets import eligible
from generation.downstream.draws import NONE, stratum_of
from generation.specs import TrainingImage

MIN_HELD_OUT = 2


@dataclass(frozen=True)
class Refusal:
    """Why an experiment cannot start, and what to do about it."""

    message: str
    remedy: str


@dataclass(frozen=True)
class RealSupply:
    """Usable images and patients of each split, and training images by finding."""

    images: Mapping[str, int]
    patients: Mapping[str, int]
    strata: Mapping[str, int]

    @classmethod
    def of(cls, rows: Sequence[TrainingImage], design: Design) -> "RealSupply":
        usable = eligible(rows, findings=design.findings, mask_kind=design.mask_kind)
        known = {(row.patient, row.split) for row in usable}
        training = [row for row in usable if row.split == "train"]
        return cls(
            images=Counter(str(row.split) for row in usable),
            patients=Counter(str(split) for _, split in known),
            strata=Counter(stratum_of(row, design.findings) for row in training),
        )

    @property
    def training(self) -> int:
        return self.images.get("train", 0)


def lacks_real(supply: RealSupply, design: Design) -> Iterable[Refusal]:
    what = f"a mask of {design.mask_kind}" if design.mask_kind else "labels"
    largest = max(design.real_sizes)
    if largest > supply.training:
        yield Refusal(
            f"{largest} real images are asked for, and the training split of {design.cohort} has "
            f"{supply.training} with {what}.",
            "Take smaller sizes, or import more of the cohort.",
        )
    for split in ("validation", "test") if design.needs_validation else ("test",):
        if supply.images.get(split, 0) < MIN_HELD_OUT:
            yield Refusal(
                f"The {split} split of {design.cohort} has {supply.images.get(split, 0)} images "
                f"with {what}.",
                "Choose a cohort with more patients: about one in ten goes to each of both.",
            )
    if design.task == "classification":
        yield from _one_sided(supply, design)


def _one_sided(supply: RealSupply, design: Design) -> Iterable[Refusal]:
    for finding in design.findings:
        if not supply.strata.get(finding, 0):
            yield Refusal(
                f"No training image of {design.cohort} shows {finding}.", "Leave the finding out."
            )
    if len(design.findings) == 1 and not supply.strata.get(NONE, 0):
        yield Refusal(
            f"Every training image of {design.cohort} shows {design.findings[0]}.",
            "Choose a cohort that has images without it too.",
        )


def usable_synthetic(rows: Sequence[TrainingImage], design: Design) -> list[TrainingImage]:
    """Returns those whose findings, or mask, are told."""
    return eligible(rows, findings=design.findings, mask_kind=design.mask_kind)


def lacks_synthetic(rows: Sequence[TrainingImage], *, arm: str, design: Design) -> list[Refusal]:
    """Where an arm's usable images, taken in turn by finding, are too few for its largest cell."""
    counts = Counter(stratum_of(row, design.findings) for row in rows)
    names = [*design.findings, NONE]
    if len(design.findings) > 1 and not counts[NONE]:
        names.remove(NONE)
    most = max(
        (place for place in grid_of(design) if place.arm == arm),
        key=lambda place: place.synthetic_count,
    )
    needed = turns(most.synthetic_count, len(names))
    short = [
        f"{counts[name]} {_of(name, design)}, {wanted} needed"
        for name, wanted in zip(names, needed, strict=True)
        if counts[name] < wanted
    ]
    if not short:
        return []
    return [
        Refusal(
            f"{ARM_LABELS[arm]}: {most.ratio:g}{FOLD} {most.real_size} real images are "
            f"{most.synthetic_count} synthetic ones, and there are too few: {'; '.join(short)}.",
            "Curate a larger set, or take smaller ratios or sizes.",
        )
    ]


def turns(count: int, groups: int) -> list[int]:
    """Returns how many each group gives when they give in turn until there are ``count``."""
    return [(count - place + groups - 1) // groups for place in range(groups)]


def _of(name: str, design: Design) -> str:
    if design.mask_kind:
        return f"with a mask of {design.mask_kind}"
    if name:
        return f"of {name}"
    return f"without {' and '.join(design.findings)}"
