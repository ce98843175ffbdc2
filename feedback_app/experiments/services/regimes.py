"""Equal or extra data: whether what made an arm's images saw more real ones than the arm does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from feedback_app.experiments.services.design import Design
from feedback_app.experiments.services.lineage import Behind
from feedback_app.experiments.services.subsets import Subsets
from generation.specs import ARMS_OF_REAL_IMAGES, OWN_GENERATOR


class Regime(StrEnum):
    EQUAL = "equal data"
    EXTRA = "extra data"


@dataclass(frozen=True, kw_only=True)
class ArmRegime:
    """It holds the regime of an arm at a size; ``seen`` real images stand behind its synthetic
    ones.
    """

    arm: str
    real_size: int
    regime: Regime
    seen: int
    is_recorded: bool
    outside: str = ""

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "arm": self.arm,
            "real_size": self.real_size,
            "regime": self.regime.value,
            "seen": self.seen,
            "is_recorded": self.is_recorded,
            "outside": self.outside,
        }


def regimes_of(
    design: Design, behind: Mapping[str, Sequence[Behind]], subsets: Subsets
) -> list[ArmRegime]:
    """Returns one for every arm with synthetic images, at every size.

    Equal: all that was seen is among the real images that the arm learns from at every
    seed, or of the validation split, which every arm is stopped by. An arm of own generators
    is so by itself: each saw the images of its cell, and none else.
    """
    validation = {row.image_id for row in subsets.rows if row.split == "validation"}
    found = []
    for arm in design.arms:
        if arm in ARMS_OF_REAL_IMAGES:
            continue
        if arm == OWN_GENERATOR:
            found += [_of_own(arm, size) for size in design.real_sizes]
            continue
        seen, outside = seen_by(behind[arm])
        is_recorded = all(one.is_recorded for one in behind[arm])
        for size in design.real_sizes:
            is_equal = (
                is_recorded
                and not outside
                and len(seen) <= size + len(validation)  # spares the drawing, most of the time
                and seen
                <= {
                    (design.cohort, name)
                    for name in _learnt_from(design, subsets, size=size) | validation
                }
            )
            found.append(
                ArmRegime(
                    arm=arm,
                    real_size=size,
                    regime=Regime.EQUAL if is_equal else Regime.EXTRA,
                    seen=len(seen),
                    is_recorded=is_recorded,
                    outside=outside,
                )
            )
    return found


def _of_own(arm: str, size: int) -> ArmRegime:
    return ArmRegime(arm=arm, real_size=size, regime=Regime.EQUAL, seen=size, is_recorded=True)


def seen_by(behind: Iterable[Behind]) -> tuple[set[tuple[str, str]], str]:
    """Cohort and name of every real image seen, and what was seen that is in no cohort here."""
    seen: set[tuple[str, str]] = set()
    outside = []
    for one in behind:
        if one.seen is not None:
            seen |= set(one.seen.order_by().values_list("cohort__name", "source_id"))
        if one.outside and one.outside not in outside:
            outside.append(one.outside)
    return seen, "; ".join(outside)


def _learnt_from(design: Design, subsets: Subsets, *, size: int) -> set[str]:
    """Images that the real arm learns from at every seed."""
    seeds = design.seeds if size < len(subsets.usable) else design.seeds[:1]
    return set.intersection(*({*subsets.training_ids(size=size, seed=seed)} for seed in seeds))


def in_words(regimes: Sequence[Mapping[str, Any]]) -> str:
    """Returns one regime, or which sizes have which; ``regimes`` as they are stored."""
    kinds = {one["regime"] for one in regimes}
    if not kinds:
        return "real images only"
    if len(kinds) == 1:
        return str(kinds.pop())
    parts = []
    for regime in (Regime.EQUAL, Regime.EXTRA):
        places = sorted(
            {(one["real_size"], one["arm"]) for one in regimes if one["regime"] == regime}
        )
        sizes = sorted({size for size, _ in places})
        parts.append(f"{regime} at {', '.join(map(str, sizes))}")
    return "; ".join(parts)
