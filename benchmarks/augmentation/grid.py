"""What is compared: settings, seeds, and the comparison that was named first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.augmentation.cells import ALL, Setting
from benchmarks.augmentation.pools import Pool
from generation.specs import Arm, Task

SEEDS = tuple(range(10))
EXTRA_DATA = (
    "extra data: the bundled generator and its proxies saw the whole training split, not only "
    "the real images of an arm"
)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """``primary`` is the size and label of the comparison that was named before the run.

    ``also_named`` are others that were, corrected with it alone; ``settings`` are in the order
    in which they are trained, those of the first ``first`` at all seeds before the others.
    """

    name: str
    task: Task
    cohort: str
    figure: str
    pools: tuple[Pool, ...]
    settings: tuple[Setting, ...]
    primary: tuple[int, str]
    regime: str = EXTRA_DATA
    also_named: tuple[tuple[int, str], ...] = ()
    tiers: tuple[int, ...] = ()
    sees: str = "the bundled model"

    @property
    def named(self) -> tuple[tuple[int, str], ...]:
        return (self.primary, *self.also_named)

    def in_tiers(self) -> Iterator[tuple[Setting, ...]]:
        """Settings by what is trained, at every seed, before the next."""
        bounds = (0, *self.tiers, len(self.settings))
        for start, end in pairwise(bounds):
            yield self.settings[start:end]


PROMPTS = Pool(name="prompts", count=600, seed=1)
MASKS = Pool(name="masks", count=240, seed=4, mode="tm2i")

SMALL = {
    "resolution": 64,
    "network": "small",
    "max_steps": 160,
    "evaluate_every": 20,
    "patience": 15,
    "learning_rate": 3e-3,
}
SMALL_ALL = SMALL | {"max_steps": 400}
"""Where there is more to learn from, 200 steps were too few."""


def settings_of(
    task: Task, size: int, changes: Mapping[str, Any], *arms: tuple[Arm, float, str]
) -> tuple[Setting, ...]:
    """Real images alone, and arms with their ratio and pool."""
    return tuple(
        Setting(task=task, arm=arm, size=size, ratio=ratio, pool=pool, changes=changes)
        for arm, ratio, pool in (("real", 0, ""), *arms)
    )


def telling(
    size: int, changes: Mapping[str, Any], *arms: tuple[Arm, float, str]
) -> tuple[Setting, ...]:
    return settings_of("classification", size, changes, *arms)


PNEUMONIA = Experiment(
    name="pneumonia",
    task="classification",
    cohort="nih",
    figure="macro_f1",
    pools=(PROMPTS,),
    settings=(
        *telling(
            8,
            SMALL,
            ("curated", 16, "prompts, best quarter"),
            ("unfiltered", 16, "prompts"),
            ("transformed", 16, ""),
            ("pretrained", 16, "prompts, best quarter"),
            ("synthetic", 16, "prompts, best quarter"),
        ),
        *telling(
            32,
            SMALL,
            ("curated", 4, "prompts, best quarter"),
            ("curated", 1, "prompts, best quarter"),
            ("pretrained", 4, "prompts, best quarter"),
        ),
        *telling(64, SMALL, ("curated", 2, "prompts, best quarter")),
        *telling(128, SMALL, ("curated", 1, "prompts, best quarter")),
        *telling(ALL, SMALL_ALL, ("curated", 0.25, "prompts, best quarter")),
    ),
    primary=(32, "curated 4x of prompts, best quarter"),
)
"""128 to 139 synthetic images beside ever more real ones."""
DRAWING = {
    "resolution": 64,
    "widths": (16, 32, 64, 96),
    "max_steps": 200,
    "evaluate_every": 20,
    "patience": 15,
    "learning_rate": 4e-3,
    "batch_size": 8,
}


def drawing(size: int, *arms: tuple[Arm, float, str]) -> tuple[Setting, ...]:
    return settings_of("segmentation", size, DRAWING, *arms)


LUNGS = Experiment(
    name="lungs",
    task="segmentation",
    cohort="covid-lungs",
    figure="dice",
    pools=(MASKS,),
    settings=(
        *drawing(5, ("curated", 16, "masks, best half")),
        *drawing(10, ("curated", 8, "masks, best half")),
        *drawing(ALL, ("curated", 2, "masks, best half")),
    ),
    primary=(5, "curated 16x of masks, best half"),
)
CHILDREN_POOL = Pool(name="children", count=384, seed=11)
BESIDE = 128
"""Synthetic images, or moved copies, at every size."""
OTHER_CHILDREN = (
    "extra data: the generator learnt from 1,901 pictures of 1,376 patients who are in no arm, "
    "no validation and no test"
)


def beside(size: int, *arms: tuple[Arm, str], fixed: bool = False) -> tuple[Setting, ...]:
    """Arms with 128 images beside the real ones."""
    changes = SMALL | ({"stopping": "fixed"} if fixed else {})
    return tuple(
        Setting(
            task="classification",
            arm=arm,
            size=size,
            ratio=0 if arm == "real" else BESIDE / size,
            pool=pool,
            changes=changes,
        )
        for arm, pool in arms
    )


REAL: tuple[Arm, str] = ("real", "")
MOVED: tuple[Arm, str] = ("transformed", "")
GENERATED: tuple[Arm, str] = ("unfiltered", "children")
CURATED: tuple[Arm, str] = ("curated", "children, best half")
IN_NOISE: tuple[Arm, str] = ("unfiltered", "noise")
OTHERS: tuple[Arm, str] = ("unfiltered", "real images of others")
ALONE: tuple[Arm, str] = ("synthetic", "children")

CHILDREN = Experiment(
    name="children",
    task="classification",
    cohort="kermany",
    figure="macro_f1",
    pools=(CHILDREN_POOL,),
    settings=(
        *beside(2, REAL, GENERATED, MOVED),
        *beside(4, REAL, GENERATED, MOVED),
        *beside(2, CURATED, IN_NOISE, ALONE),
        *beside(4, CURATED, IN_NOISE),
        *beside(8, REAL, GENERATED, MOVED),
        *beside(32, REAL, GENERATED, MOVED),
        *beside(128, REAL, GENERATED, MOVED),
        *beside(16, REAL, GENERATED, MOVED),
        *beside(2, REAL, GENERATED, MOVED, fixed=True),
        *beside(4, REAL, GENERATED, MOVED, fixed=True),
        *beside(2, OTHERS),
        *beside(4, OTHERS),
        *(setting for size in (8, 16, 32, 128) for setting in beside(size, CURATED, IN_NOISE)),
    ),
    tiers=(6, 9, 11, 14, 17, 20, 23, 26, 29, 31),
    primary=(2, "unfiltered 64x of children"),
    also_named=((4, "unfiltered 32x of children"),),
    regime=OTHER_CHILDREN,
    sees="a generator of other children",
)
"""Named in ``named-2026-11-30.md`` before the first cell."""
LESIONS_POOL = Pool(name="lesions", count=512, seed=17, mode="tm2i")
BESIDE_LESIONS = 256
OTHER_PATIENTS = (
    "extra data: the generator and its ControlNet learnt from pictures and masks of patients who "
    "are in no arm, no validation and no test"
)
OUTLINING = DRAWING | {
    "kind": "opacity",
    "max_steps": 400,
    "evaluate_every": 40,
    "patience": 10,
}


def outlining(size: int, *arms: tuple[Arm, str], fixed: bool = False) -> tuple[Setting, ...]:
    """Arms with 256 images beside the real pairs, and with as many as these beside all."""
    ratio = BESIDE_LESIONS / size if size else 1
    return tuple(
        Setting(
            task="segmentation",
            arm=arm,
            size=size,
            ratio=0 if arm == "real" else ratio,
            pool=pool,
            changes=OUTLINING | ({"stopping": "fixed"} if fixed else {}),
        )
        for arm, pool in arms
    )


OF_MASKS: tuple[Arm, str] = ("unfiltered", "lesions")
FITTING: tuple[Arm, str] = ("curated", "lesions, best half")
OF_MASKS_ALONE: tuple[Arm, str] = ("synthetic", "lesions")
NOISE_ON_MASKS: tuple[Arm, str] = ("unfiltered", "noise on masks")
OTHER_PAIRS: tuple[Arm, str] = ("unfiltered", "real pairs of others")

LESIONS = Experiment(
    name="lesions",
    task="segmentation",
    cohort="covid-qu",
    figure="dice",
    pools=(LESIONS_POOL,),
    settings=(
        *outlining(2, REAL, OF_MASKS, MOVED),
        *outlining(2, FITTING, OF_MASKS_ALONE, NOISE_ON_MASKS),
        *outlining(4, REAL, OF_MASKS, MOVED),
        *outlining(8, REAL, OF_MASKS, MOVED),
        *outlining(ALL, REAL, OF_MASKS, MOVED),
        *outlining(2, OTHER_PAIRS),
        *outlining(2, REAL, OF_MASKS, MOVED, fixed=True),
        *outlining(4, FITTING, NOISE_ON_MASKS),
        *outlining(8, FITTING, NOISE_ON_MASKS),
    ),
    tiers=(3, 6, 9, 12, 15, 16, 19, 21),
    primary=(2, "unfiltered 128x of lesions"),
    also_named=((4, "unfiltered 64x of lesions"),),
    regime=OTHER_PATIENTS,
    sees="a generator of other patients",
)
"""Named in ``named-2026-12-01.md`` before the first cell."""
EXPERIMENTS = (PNEUMONIA, LUNGS, CHILDREN, LESIONS)
