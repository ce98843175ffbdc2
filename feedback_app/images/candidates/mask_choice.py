"""Which masks of a cohort a batch is conditioned on, and how they are transformed."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from feedback_app.images.cohorts.models import Cohort, CohortImage, Split
from generation.conditioning.transforms import Family
from generation.specs import MaskKind


@dataclass(frozen=True, kw_only=True)
class MaskChoice:
    """Which masks of a cohort, and how they are transformed.

    ``images`` are the cohort images whose masks are taken; where there are none, ``number``
    of them are drawn. Each parent gives ``variants`` with a transform of every family, and
    itself where ``keeps_parents``. Only images of the training split may be chosen unless
    ``allows_held_out``: what is generated from the others cannot be tested on them.
    """

    cohort: Cohort
    kinds: tuple[MaskKind, ...]
    images: tuple[UUID, ...] = ()
    number: int = 4
    families: tuple[Family, ...] = ()
    variants: int = 0
    keeps_parents: bool = True
    seed: int = 0
    allows_held_out: bool = False

    @property
    def eligible(self) -> QuerySet[CohortImage]:
        """The cohort's images that have all the kinds and may be chosen."""
        images = self.cohort.images.with_masks(self.kinds)
        return images if self.allows_held_out else images.filter(patient__split=Split.TRAIN)
