"""Whether anything behind an arm's synthetic images has seen patients of the test split."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q, QuerySet

from feedback_app.experiments.labels import ARM_LABELS
from feedback_app.experiments.models import ExperimentSource
from feedback_app.experiments.services.lineage import Behind
from feedback_app.experiments.services.supply import Refusal
from feedback_app.images.models import (
    Cohort,
    CohortImage,
    Mask,
    Patient,
    RecipeMask,
    SharedPicture,
    Split,
)
from generation.conditioning.transforms import Interpolate, load

SHOWN = 3
ANY_FOLDER = "folder"
"""The source of cohorts whose patients' ids mean nothing beyond them."""


def leaks(
    source: ExperimentSource, found: Iterable[Behind], *, cohort: Cohort, vouching: str
) -> Iterator[Refusal]:
    """Yields every reason for which the test split would not be unseen."""
    for one in found:
        if one.seen is None:
            if not vouching:
                yield _not_recorded(one, source)
            continue
        if images := _named(seen_of_test(one.seen, cohort)):
            yield Refusal(
                f"{ARM_LABELS[source.arm]}: the {one.role} {one.name} has seen patients of the "
                f"test split of {cohort.name} ({images}).",
                "Test on a cohort that it has not seen, or take images that others made.",
            )
    if images := _named(pictures_behind(source, cohort)):
        yield Refusal(
            f"{ARM_LABELS[source.arm]}: behind its images stand pictures that are held out in "
            f"{cohort.name} ({images}).",
            "Generate from masks of the training split, and leave copies out.",
        )


def _not_recorded(one: Behind, source: ExperimentSource) -> Refusal:
    return Refusal(
        f"{ARM_LABELS[source.arm]}: what the {one.role} {one.name} was trained on is not recorded "
        "here.",
        "State in the experiment how you know that it saw nobody of the test split; the report "
        "will say so.",
    )


def seen_of_test(seen: QuerySet[CohortImage], cohort: Cohort) -> QuerySet[CohortImage]:
    """Returns images of the test split whose patient or picture is among those seen.

    Also where the same patients, or pictures, were imported as another cohort: a picture that
    two cohorts share stands for all images of its patient.
    """
    elsewhere = seen.exclude(cohort=cohort)
    same = Q(patient__in=seen.values("patient"))
    same |= Q(image__pixels_sha256__in=seen.values("image__pixels_sha256"))
    same |= Q(patient__in=_sharing_a_picture_with(seen.values("patient")))
    if cohort.source != ANY_FOLDER:
        named = elsewhere.filter(cohort__source=cohort.source)
        same |= Q(patient__source_id__in=named.values("patient__source_id"))
    return cohort.images.filter(same, patient__split=Split.TEST).order_by("source_id")


def _sharing_a_picture_with(patients: QuerySet[Any, Any]) -> QuerySet[Patient]:
    """Patients of other cohorts one of whose images is one of theirs."""
    later = SharedPicture.objects.filter(other__patient__in=patients).values("image__patient")
    earlier = SharedPicture.objects.filter(image__patient__in=patients).values("other__patient")
    return Patient.objects.filter(Q(pk__in=later) | Q(pk__in=earlier))


def pictures_behind(source: ExperimentSource, cohort: Cohort) -> QuerySet[CohortImage]:
    """Held-out images whose masks were followed, or that an image is a copy of."""
    candidates = source.candidates().order_by()
    masks = RecipeMask.objects.filter(recipe__candidate__in=candidates)
    used = Q(masks__in=masks.values("parent")) | Q(masks__in=_interpolated_to(masks))
    copied = candidates.values("image__pixels_sha256")
    same_mask = Mask.objects.filter(pk__in=masks.values("parent")).values("blob")
    used |= Q(masks__blob__in=same_mask) | Q(image__pixels_sha256__in=copied)
    held_out = cohort.images.exclude(patient__split=Split.TRAIN)
    return held_out.filter(pk__in=CohortImage.objects.filter(used).values("pk")).order_by(
        "source_id"
    )


def _interpolated_to(masks: QuerySet[RecipeMask]) -> QuerySet[Mask]:
    others = {
        transform.other
        for transforms in masks.values_list("transforms", flat=True)
        for transform in load(transforms)
        if isinstance(transform, Interpolate)
    }
    return Mask.objects.filter(blob__in=others)


def _named(images: QuerySet[CohortImage]) -> str:
    """Returns how many, with the first few by name; empty where there are none."""
    count = images.count()
    if not count:
        return ""
    names = list(images.values_list("source_id", flat=True)[:SHOWN])
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return ", ".join(names) + more
