"""Whether a transformed mask could still be of a chest; what cannot is refused, with a reason."""

from typing import Literal

import numpy as np
from scipy import ndimage

from generation.conditioning.masks import LESIONS, WITHIN_LUNGS, Mask, Masks, label_of, lungs_among
from generation.conditioning.transforms import FAMILY_LABELS, Family
from generation.errors import RemediableError
from generation.specs import MaskKind

AREA_LIMITS: dict[MaskKind, tuple[float, float]] = {
    "lungs": (0.6, 1.5),
    "lungs_without_heart": (0.6, 1.5),
    "heart": (0.6, 1.6),
    "pneumothorax": (0.3, 3.0),
    "rib_fracture": (0.3, 3.0),
    "tube": (0.5, 2.0),
    "opacity": (0.3, 3.0),
}
"""Smallest and largest area, as a multiple of the parent's."""
PART_SHARE = 0.02
"""A part below this share of a mask is a speck."""
MAX_LEFT = 0.05
"""How much more of a lesion than of the parent's may lie outside the lungs."""
MAX_CUT = 0.1
"""How much more of an edge of the picture may cut what it cuts already, in sides."""

EDGES = ("upper", "lower", "left", "right")


class ImplausibleMask(RemediableError):
    """A transform has made of a mask what no chest shows; ``reason`` is why.

    ``family`` is empty where the mask could not be used as it came.
    """

    def __init__(self, family: Family | Literal[""], reason: str) -> None:
        what = f"The transform {family!r}" if family else "The mask"
        super().__init__(
            f"{what} is refused: {reason}.",
            remedy="Take another seed, other transforms, or another mask.",
        )
        self.family = family
        self.reason = reason

    @property
    def short(self) -> str:
        """The reason after the name of the family, for people."""
        return f"{FAMILY_LABELS[self.family]}: {self.reason}" if self.family else self.reason


def check(family: Family, masks: Masks, *, parents: Masks) -> None:
    """Raise ``ImplausibleMask`` where a mask differs from its parent as it must not."""
    for kind, mask in masks.items():
        name = label_of(kind)
        for reason in (
            _emptied(mask),
            _cut(mask, parents[kind]),
            _parts_changed(kind, mask, parents[kind]),
            _area_changed(kind, mask, parents[kind]),
        ):
            if reason:
                raise ImplausibleMask(family, f"the mask of {name} {reason}")
        lungs = lungs_among(masks)
        if kind in WITHIN_LUNGS and lungs is not None:
            outside = outside_share(mask, masks[lungs])
            if outside > outside_share(parents[kind], parents[lungs]) + MAX_LEFT:
                reason = f"the mask of {name} leaves the lungs with {outside:.0%} of its area"
                raise ImplausibleMask(family, reason)


def outside_share(lesion: Mask, lungs: Mask) -> float:
    """Returns the share of a lesion, which is not empty, that lies outside the lungs."""
    return float((lesion & ~lungs).sum() / lesion.sum())


def parts_of(mask: Mask) -> list[Mask]:
    """Connected parts, the largest first, specks left out."""
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())[1:]
    order = [index for index in np.argsort(-sizes, kind="stable") if sizes[index] > 0]
    least = PART_SHARE * mask.sum()
    return [labels == index + 1 for index in order if sizes[index] >= least]


def _emptied(mask: Mask) -> str:
    return "" if mask.any() else "is empty"


def _cut(mask: Mask, parent: Mask) -> str:
    """Say where the picture's edge cuts what it did not cut, or much more of it than before."""
    for name, now, before in zip(EDGES, _cut_lengths(mask), _cut_lengths(parent), strict=True):
        if now > before + (MAX_CUT * len(mask) if before else 0):
            return f"is cut by the {name} edge of the picture"
    return ""


def _cut_lengths(mask: Mask) -> list[int]:
    return [int(edge.sum()) for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1])]


def _parts_changed(kind: MaskKind, mask: Mask, parent: Mask) -> str:
    now, before = len(parts_of(mask)), len(parts_of(parent))
    if now == before or (kind in LESIONS and now < before):  # lesions may flow together
        return ""
    how = "has come apart into" if now > before else "has run together into"
    return f"{how} {now} part{'s' if now > 1 else ''} instead of {before}"


def _area_changed(kind: MaskKind, mask: Mask, parent: Mask) -> str:
    least, most = AREA_LIMITS[kind]
    ratio = mask.sum() / parent.sum()
    if least <= ratio <= most:
        return ""
    return f"has {ratio:.0%} of its area before, which may be {least:.0%} to {most:.0%}"
