"""The held-out masks that a gate has child and parent follow."""

import random
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from feedback_app.finetuning.lineage import own_fine_tune, snapshots_behind
from feedback_app.finetuning.services.masked import lines_of, masks_of
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_plan import (
    Condition,
    as_kinds,
    drawn_from,
    keep_masks,
    plan_masks,
)
from feedback_app.images.models import (
    Cohort,
    CohortImage,
    ModelVersion,
    RecipeMask,
    Scorer,
    ScorerKind,
    Split,
)
from feedback_app.remedies import in_one_line
from generation.conditioning.masks import label_of
from generation.conditioning.transforms import Family
from generation.errors import RemediableError
from generation.quality.gate_spec import GateSpec, MaskedSpec
from generation.specs import MaskKind

IMAGES = 16
CONDITIONS = 24
"""At most so many, where few images are there and variants make up for it."""
VARIANTS = 2
FAMILIES: tuple[Family, ...] = ("affine", "elastic")
PROMPTS = 2
SEED = "masks of gates"


@dataclass(frozen=True)
class PlannedMasks:
    spec: MaskedSpec
    conditions: tuple[Condition, ...] = ()


def plan_gate_masks(child: ModelVersion, spec: GateSpec) -> PlannedMasks | None:
    """Plans none for a child that learnt from no masked readings; else masks, or why there are
    none.
    """
    taught = kinds_behind(child)
    if not taught:
        return None
    kinds = segmented(taught)
    try:
        if not kinds:
            raise RemediableError(
                f"no segmenter measures {_named(taught)}.",
                remedy="Train one with manage.py train_proxy COHORT --segmenter.",
            )
        cohort, images = held_out_images(child, kinds, at_least=spec.min_masks)
        return _plan(spec, taught=taught, kinds=kinds, cohort=cohort, images=images)
    except RemediableError as error:
        return PlannedMasks(MaskedSpec(taught_kinds=taught, missing=in_one_line(error)))


def kinds_behind(child: ModelVersion) -> tuple[MaskKind, ...]:
    """Returns the kinds of masks that the child's own fine-tune learnt from."""
    own = own_fine_tune(child)
    if own is None or not child.follows_masks:
        return ()
    return as_kinds(sorted({kind for line in lines_of(own.snapshot) for kind in masks_of(line)}))


def segmented(kinds: tuple[MaskKind, ...]) -> tuple[MaskKind, ...]:
    """Returns those of the kinds that an active segmenter draws."""
    segmenters = Scorer.objects.active().filter(kind=ScorerKind.SEGMENTER)
    known = set(segmenters.values_list("target", flat=True))
    return tuple(kind for kind in kinds if kind in known)


def patients_behind(child: ModelVersion) -> set[int]:
    """Whose masks a reading behind the child was of, as parent or as what was gone towards."""
    shown = {
        blob
        for snapshot in snapshots_behind(child)
        for line in lines_of(snapshot)
        for blob in masks_of(line).values()
    }
    used = drawn_from(RecipeMask.objects.filter(blob__in=shown))
    return set(used.values_list("cohort_image__patient", flat=True))


def held_out_images(
    child: ModelVersion, kinds: tuple[MaskKind, ...], *, at_least: int
) -> tuple[Cohort, tuple[UUID, ...]]:
    """Returns one image a patient, of the cohort that has the most with masks of all the kinds."""
    rows = (
        CohortImage.objects.with_masks(kinds)
        .exclude(patient__split=Split.TRAIN)
        .exclude(patient__in=patients_behind(child))
        .order_by("patient_id", "source_id")
        .distinct("patient_id")
    )
    by_cohort: dict[int, list[UUID]] = defaultdict(list)
    for image, cohort in rows.values_list("pk", "cohort_id"):
        by_cohort[cohort].append(image)
    most = max(by_cohort, key=lambda cohort: len(by_cohort[cohort]), default=None)
    found = by_cohort[most] if most is not None else []
    if most is None or len(found) < at_least:
        raise RemediableError(
            f"{len(found)} patients of one cohort are held out and have masks of "
            f"{_named(kinds)}; {at_least} are needed.",
            remedy="Import a cohort with such masks, or draw them with manage.py pseudo_mask.",
        )
    drawn = random.Random(SEED).sample(found, min(IMAGES, len(found)))
    return Cohort.objects.get(pk=most), tuple(drawn)


def _plan(
    spec: GateSpec,
    *,
    taught: tuple[MaskKind, ...],
    kinds: tuple[MaskKind, ...],
    cohort: Cohort,
    images: tuple[UUID, ...],
) -> PlannedMasks:
    assert spec.side is not None
    variants = min(VARIANTS, CONDITIONS // len(images) - 1)
    choice = MaskChoice(
        cohort=cohort,
        kinds=kinds,
        images=images,
        families=FAMILIES if variants else (),
        variants=variants,
        allows_held_out=True,
    )
    conditions = tuple(keep_masks(plan_masks(choice, side=spec.side)))
    patients = {condition[0].parent.cohort_image_id for condition in conditions}
    if len(patients) < spec.min_masks:
        raise RemediableError(
            f"only {len(patients)} of {len(images)} patients’ held-out masks can be followed "
            "whole; the others are cut by the frame.",
            remedy="Import a cohort with masks that the frame leaves whole.",
        )
    masked = MaskedSpec(
        taught_kinds=taught,
        kinds=kinds,
        cohort=cohort.name,
        images=tuple(map(str, images)),
        variants=variants,
        prompts=spec.prompts[:: max(1, len(spec.prompts) // PROMPTS)][:PROMPTS],
    )
    return PlannedMasks(masked, conditions)


def _named(kinds: tuple[MaskKind, ...]) -> str:
    return " and ".join(map(label_of, kinds))
