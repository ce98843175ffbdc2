"""Masks to condition candidates on: chosen from a cohort, transformed, kept."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import QuerySet

from feedback_app.images.blobs.services import store
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_models import RecipeMask
from feedback_app.images.cohorts.models import Cohort, CohortImage, Mask, Split
from generation.conditioning.masks import (
    MASK_KINDS,
    as_kind,
    encode_mask,
    label_of,
)
from generation.conditioning.transforms import Interpolate, dump, load
from generation.errors import RemediableError
from generation.specs import MaskKind

if TYPE_CHECKING:
    from generation.conditioning.variants import Parent, Variant

Condition = tuple[RecipeMask, ...]
"""Unsaved rows, one a kind, that recipes are conditioned on together."""

MAX_CONDITIONS = 256
UNHURRIED_SIDE = 256
"""Up to which so many masks take seconds."""


@dataclass(frozen=True, kw_only=True)
class PlannedParent:
    """An image whose masks are taken, and every variant that was asked for, refused or not."""

    image: CohortImage
    rows: Mapping[MaskKind, Mask]
    parent: "Parent"
    variants: tuple["Variant", ...]


@dataclass(frozen=True, kw_only=True)
class MaskPlan:
    parents: tuple[PlannedParent, ...]

    @property
    def accepted(self) -> int:
        return sum(one.masks is not None for parent in self.parents for one in parent.variants)

    @property
    def refusals(self) -> list[tuple[str, int]]:
        """Why variants are refused, the most frequent reason first."""
        reasons = Counter(
            one.refusal for parent in self.parents for one in parent.variants if one.refusal
        )
        return reasons.most_common()

    @property
    def refused(self) -> int:
        return sum(count for _, count in self.refusals)


def plan_masks(choice: MaskChoice, *, side: int) -> MaskPlan:
    """Returns every variant of the chosen masks at the candidate's size; the same for the same
    choice.
    """
    # It brings scipy, without which the process that serves reading pages should start.
    from feedback_app.images.candidates.mask_variants import vary

    _check(choice)
    images = _choose(choice)
    asked = len(images) * (choice.variants + choice.keeps_parents)
    if asked > (most := most_conditions(side)):
        raise RemediableError(
            f"{asked} masks are more than the {most} of a batch of {side} x {side} pixels.",
            remedy="Choose fewer images or variants, or make several batches.",
        )
    read = [(image, rows_of(image, choice.kinds)) for image in images]
    varied = vary([rows for _, rows in read], choice, side=side)
    return MaskPlan(
        parents=tuple(
            PlannedParent(image=image, rows=rows, parent=parent, variants=variants)
            for (image, rows), (parent, variants) in zip(read, varied, strict=True)
        )
    )


def most_conditions(side: int) -> int:
    """Fewer of large pictures: somebody waits for the sheet that shows them all."""
    return min(MAX_CONDITIONS, MAX_CONDITIONS * UNHURRIED_SIDE**2 // side**2)


def _check(choice: MaskChoice) -> None:
    if not choice.kinds:
        raise RemediableError("No kind of mask was chosen.", remedy="Choose at least one kind.")
    if choice.variants and not choice.families:
        raise RemediableError(
            "Variants were asked for, and no transform was chosen.",
            remedy="Choose a family of transforms, or no variants.",
        )
    if choice.families and not choice.variants:
        raise RemediableError(
            "Transforms were chosen, and no variants were asked for.",
            remedy="Ask for at least one variant of each mask, or choose no transforms.",
        )
    if not choice.variants and not choice.keeps_parents:
        raise RemediableError(
            "No mask is left to condition on.", remedy="Ask for variants, or keep the masks."
        )


def _choose(choice: MaskChoice) -> list[CohortImage]:
    """Returns the images that were named, or as many as wanted, drawn by the seed."""
    names = " and ".join(label_of(kind) for kind in choice.kinds)
    images = {
        image.pk: image
        for image in choice.eligible.select_related("patient", "cohort")
        .prefetch_related("masks__blob")
        .order_by("source_id")
    }
    if choice.images:
        _require_eligible(choice, images, names=names)
        return [images[key] for key in choice.images]
    if choice.number < 1 or choice.number > len(images):
        where = "" if choice.allows_held_out else " of its training split"
        raise RemediableError(
            f"{choice.number} images cannot be drawn: “{choice.cohort.name}” has {len(images)} "
            f"images{where} with masks of {names}.",
            remedy="Ask for at least one and no more than there are, or choose another cohort.",
        )
    return random.Random(f"{choice.seed}:masks").sample(list(images.values()), choice.number)


def _require_eligible(
    choice: MaskChoice, images: Mapping[UUID, CohortImage], *, names: str
) -> None:
    for key in choice.images:
        if key in images:
            continue
        known = choice.cohort.images.with_masks(choice.kinds).filter(pk=key).first()
        if known is None:
            raise RemediableError(
                f"“{choice.cohort.name}” has no image {key} with masks of {names}.",
                remedy="Choose among the images that are shown.",
            )
        raise held_out(known)


def held_out(image: CohortImage) -> RemediableError:
    return RemediableError(
        f"The mask of {image.source_id} is of the {image.patient.split} split.",
        remedy="Choose masks of the training split, or ask for held-out ones expressly: what "
        "learns from their candidates cannot be tested on them.",
    )


def rows_of(image: CohortImage, kinds: Iterable[MaskKind]) -> dict[MaskKind, Mask]:
    by_kind = {mask.kind: mask for mask in image.masks.all()}
    return {kind: by_kind[kind] for kind in MASK_KINDS if kind in set(kinds)}


def keep_masks(plan: MaskPlan) -> list[Condition]:
    """Store the plausible variants, in order; nothing plausible is an error."""
    kept = [
        _keep(planned, variant)
        for planned in plan.parents
        for variant in planned.variants
        if variant.masks is not None
    ]
    if not kept:
        (reason, _), *_ = plan.refusals
        raise RemediableError(
            f"Every mask was refused, mostly since: {reason}.",
            remedy="Take another seed, other transforms, or other masks.",
        )
    return kept


def _keep(planned: PlannedParent, variant: "Variant") -> Condition:
    assert variant.masks is not None
    return tuple(
        RecipeMask(
            kind=kind,
            parent=planned.rows[kind],
            transforms=dump(variant.transforms),
            blob=store(encode_mask(mask), media_type="image/png"),
        )
        for kind, mask in variant.masks.items()
    )


def require_training_split(conditions: Iterable[Condition]) -> None:
    """Refuse masks of held-out images, be they parents or what was interpolated to."""
    used = drawn_from(mask for condition in conditions for mask in condition)
    wrong = used.exclude(cohort_image__patient__split=Split.TRAIN)
    first = wrong.select_related("cohort_image__patient").order_by("pk").first()
    if first is not None:
        raise held_out(first.cohort_image)


def drawn_from(rows: Iterable[RecipeMask]) -> QuerySet[Mask]:
    """Returns the masks of images that recipes' masks come from: parents, and what they went
    towards.
    """
    parents, others = set(), set()
    for mask in rows:
        parents.add(mask.parent_id)
        others |= {
            transform.other
            for transform in load(mask.transforms)
            if isinstance(transform, Interpolate)
        }
    return Mask.objects.filter(pk__in=parents) | Mask.objects.filter(blob__in=others)


def kinds_of(cohort: Cohort) -> list[MaskKind]:
    """Returns the kinds of the vocabulary that the cohort has masks of."""
    found = set(Mask.objects.filter(cohort_image__cohort=cohort).values_list("kind", flat=True))
    return [kind for kind in MASK_KINDS if kind in found]


def as_kinds(names: Sequence[str]) -> tuple[MaskKind, ...]:
    """Kinds by their names, in the vocabulary's order."""
    wanted = {as_kind(name) for name in names}
    return tuple(kind for kind in MASK_KINDS if kind in wanted)
