"""Equal or extra data: whether what made an arm's images saw more real ones than the arm does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from feedback_app.experiments.services.design import Design
from feedback_app.experiments.services.lineage import Behind
from feedback_app.experiments.services.subsets import eligible, ordered
from generation.specs import ARMS_OF_REAL_IMAGES, TrainingImage


class Regime(StrEnum):
    EQUAL = "equal data"
    EXTRA = "extra data"


@dataclass(frozen=True, kw_only=True)
class ArmRegime:
    """The regime of an arm at a size; ``seen`` real images stand behind its synthetic ones."""

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
    design: Design, behind: Mapping[str, Sequence[Behind]], rows: Sequence[TrainingImage]
) -> list[ArmRegime]:
    """Of every arm with synthetic images at every size.

    Equal: all that was seen is among the real images that the arm learns from at every
    seed, or of the validation split, which every arm is stopped by.
    """
    allowed = {size: _learnt_from(design, rows, size=size) for size in design.real_sizes}
    found = []
    for arm in design.arms:
        if arm in ARMS_OF_REAL_IMAGES:
            continue
        seen, outside = seen_by(behind[arm])
        is_recorded = all(one.is_recorded for one in behind[arm])
        for size in design.real_sizes:
            within = seen <= {(design.cohort, name) for name in allowed[size]}
            is_equal = is_recorded and not outside and within
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


def _learnt_from(design: Design, rows: Sequence[TrainingImage], *, size: int) -> set[str]:
    """Images that the real arm learns from at every seed, and those of the validation split."""
    usable = eligible(
        [row for row in rows if row.split == "train"],
        findings=design.findings,
        mask_kind=design.mask_kind,
    )
    subsets = [
        {row.image_id for row in ordered(usable, findings=design.findings, seed=seed)[:size]}
        for seed in (design.seeds if size < len(usable) else design.seeds[:1])
    ]
    validation = {row.image_id for row in rows if row.split == "validation"}
    return set.intersection(*subsets) | validation


def in_words(regimes: Sequence[Mapping[str, Any]]) -> str:
    """One regime, or which sizes have which; ``regimes`` as they are stored."""
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
