"""What is compared: settings, seeds, and the comparison that was named first."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    """``primary`` is the size and label of the comparison that was named before the run."""

    name: str
    task: Task
    cohort: str
    figure: str
    pools: tuple[Pool, ...]
    settings: tuple[Setting, ...]
    primary: tuple[int, str]
    regime: str = EXTRA_DATA


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
EXPERIMENTS = (PNEUMONIA, LUNGS)
