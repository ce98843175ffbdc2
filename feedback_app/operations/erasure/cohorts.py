"""Erasing a cohort: its pictures, patients and labels; what was learnt from it stays and is said.

Images that something of ours rests on, such as a reading, keep a row without a picture: the
reading still says that a real image was read, and no more of it.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.utils import timezone

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.images.blobs.models import Blob, Image
from feedback_app.images.cohorts.models import (
    Box,
    Cohort,
    CohortImage,
    Fingerprint,
    Mask,
    Patient,
    SharedPicture,
)
from feedback_app.images.models import RecipeMask
from feedback_app.operations.erasure import learnt, reports
from feedback_app.operations.erasure.plans import Plan
from feedback_app.readings.pictures import rendered_names
from feedback_app.runs.models import Run
from feedback_app.studies.models import CaseMask, Study, StudyState, TrainingMask
from generation.errors import RemediableError

ERASED = "cohort.erased"
AT_A_TIME = 1_000
OF_IMAGE = (CohortImage,)
"""What is of an image alone, and no reason to keep it."""
OF_PICTURE = (Image, Mask, CaseMask, TrainingMask)
"""Where pictures and masks of patients stand; any other use of a file keeps it."""
UNFINISHED = (StudyState.OPEN, StudyState.PAUSED)


def plan_for(cohort: Cohort) -> Plan:
    """Returns what would go, what rests on it and stays, and what stands against it."""
    images = CohortImage.objects.filter(cohort=cohort)
    kept = _kept(cohort).count()
    masks = Mask.objects.filter(cohort_image__cohort=cohort)
    return Plan(
        name=cohort.name,
        goes=(
            f"{images.count():,} pictures and {masks.count():,} masks",
            f"{Patient.objects.filter(cohort=cohort).count():,} patients with sex, age and race",
            "All labels, boxes, and what the source said",
            *reports.goes(cohort),
            *learnt.goes(cohort),
        ),
        stays=tuple(_resting(cohort, kept=kept)),
        refusal=_refusal(cohort),
    )


def _resting(cohort: Cohort, *, kept: int) -> Iterator[str]:
    for relation in Cohort._meta.related_objects:
        if relation.on_delete is models.PROTECT and relation.related_model is not None:
            count = _using(relation, [cohort.pk]).count()
            if count:
                names = "names" if count == 1 else "name"
                yield f"{count:,} {_words(relation.related_model, count)} that {names} it"
    runs = Run.objects.filter(spec__cohort=cohort.name).count()
    if runs:
        yield f"{runs:,} trainings on it: what they taught, and which labels they learnt from"
    candidates = RecipeMask.objects.filter(parent__cohort_image__cohort=cohort)
    if count := candidates.values("recipe").distinct().count():
        yield f"{count:,} recipes of candidates with its masks, which stay with them"
    if kept:
        yield f"{kept:,} images in studies: a row without picture, patient and labels each"


def _words(model: type[models.Model], count: int) -> str:
    name = str(model._meta.verbose_name)
    plural = str(model._meta.verbose_name_plural)  # Django adds an s alone
    plural = f"{plural[:-2]}ies" if plural.endswith("ys") else plural
    return name if count == 1 else plural


def _refusal(cohort: Cohort) -> str:
    if cohort.erased_at:
        return f"{cohort.name} is erased already."
    pending = Run.objects.unfinished().filter(
        models.Q(spec__cohort=cohort.name) | models.Q(kind="import_cohort", spec__name=cohort.name)
    )
    for runs in (pending, reports.pending(cohort), learnt.pending(cohort)):
        if run := runs.first():
            return f"“{run.title}” is not over: cancel it, or wait until it is."
    showing = Study.objects.filter(state__in=UNFINISHED, cases__images__cohort_image__cohort=cohort)
    if study := showing.first():
        return f"The study “{study.name}” shows its images: close it first."
    return ""


@transaction.atomic
def erase_cohort(cohort: Cohort, *, by: User | None, address: str | None = None) -> Cohort:
    """Take its images and pictures away; files are removed once the rows are."""
    cohort = Cohort.objects.select_for_update().get(pk=cohort.pk)
    plan = plan_for(cohort)
    if plan.refusal:
        raise RemediableError(plan.refusal, remedy="Then erase it.")
    blobs = [*_own_files(cohort), *reports.erase_texts(cohort), *learnt.erase_rows(cohort)]
    masks = Mask.objects.filter(cohort_image__cohort=cohort)
    masks.filter(**_unused(Mask)).delete()
    kept = set(_kept(cohort).values_list("pk", flat=True))
    kept |= set(masks.values_list("cohort_image", flat=True))
    gone = CohortImage.objects.filter(cohort=cohort).exclude(pk__in=kept)
    images = list(gone.values_list("pk", flat=True))
    gone.delete()
    Image.objects.filter(pk__in=images).delete()
    _empty(cohort)
    Blob.objects.filter(pk__in=blobs).update(erased_at=timezone.now())
    cohort.erased_at = timezone.now()
    cohort.save(update_fields=["erased_at"])
    record(
        ERASED,
        actor=by,
        target=cohort.name,
        target_id=cohort.pk,
        details={"went": list(plan.goes), "stayed": list(plan.stays)},
        address=address,
    )
    transaction.on_commit(partial(_remove, blobs))
    transaction.on_commit(partial(_remove_folders, cohort))
    return cohort


def _empty(cohort: Cohort) -> None:
    """Leave of what is kept only that it is there: no label, no patient who can be told apart."""
    SharedPicture.objects.of_cohort(cohort).delete()
    Box.objects.filter(cohort_image__cohort=cohort).delete()
    Fingerprint.objects.filter(cohort_image__cohort=cohort).delete()
    rows = CohortImage.objects.filter(cohort=cohort)
    for number, image in enumerate(rows.order_by("pk"), start=1):
        rows.filter(pk=image.pk).update(
            source_id=f"erased-{number}", findings=[], unknown_findings=[], is_normal=False,
            source_labels={}, known_as="", view="", age_years=None,
        )  # fmt: skip
    Patient.objects.filter(cohort=cohort, images=None).delete()
    for number, patient in enumerate(Patient.objects.filter(cohort=cohort).order_by("pk"), start=1):
        patient.source_id, patient.sex, patient.race = f"erased-{number}", "", ""
        patient.save()


def _kept(cohort: Cohort) -> "models.QuerySet[CohortImage]":
    """Its images that something rests on."""
    images = CohortImage.objects.filter(cohort=cohort)
    used = models.Q()
    for relation in Image._meta.related_objects:
        if relation.on_delete is models.PROTECT and relation.related_model not in OF_IMAGE:
            rows = rows_of(relation).filter(**{relation.field.name: models.OuterRef("pk")})
            used |= models.Q(models.Exists(rows))
    return images.filter(used)


def _own_files(cohort: Cohort) -> list[str]:
    """Files of its pictures and masks that nothing else of the house is, such as a cohort's."""
    mine = set(CohortImage.objects.filter(cohort=cohort).values_list("image__blob", flat=True))
    masks = Mask.objects.filter(cohort_image__cohort=cohort)
    mine |= set(masks.values_list("blob", flat=True))
    return sorted(mine - _used_elsewhere(mine, cohort))


def _used_elsewhere(blobs: set[str], cohort: Cohort) -> set[str]:
    others = Image.objects.exclude(cohort_image__cohort=cohort)
    used = _among(others, "blob", blobs)
    used |= _among(Mask.objects.exclude(cohort_image__cohort=cohort), "blob", blobs)
    for relation in Blob._meta.related_objects:
        if relation.related_model not in OF_PICTURE:
            used |= _among(rows_of(relation), relation.field.name, blobs)
    return used


def _among(rows: Any, field: str, blobs: Iterable[str]) -> set[str]:
    return set(rows.filter(**{f"{field}__in": blobs}).values_list(field, flat=True))


def rows_of(relation: Any) -> Any:
    """Returns all rows that are on the other side of a relation."""
    return relation.related_model.objects.all()


def _using(relation: Any, keys: list[Any]) -> Any:
    return rows_of(relation).filter(**{f"{relation.field.name}__in": keys})


def _remove(blobs: list[str]) -> None:
    """Remove the files; one that something uses again since then has a row that says so."""
    for start in range(0, len(blobs), AT_A_TIME):
        for blob in Blob.objects.filter(pk__in=blobs[start : start + AT_A_TIME]):
            default_storage.delete(blob.path)
            for name in rendered_names(blob):
                default_storage.delete(name)
    rows = Blob.objects.filter(pk__in=blobs)
    for relation in Blob._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel):  # of those without a name backwards, too
            named = _among(rows_of(relation), relation.field.name, blobs)
            rows = rows.exclude(pk__in=named)
    rows.delete()


def _remove_folders(cohort: Cohort) -> None:
    reports.erase_folders(cohort)
    learnt.erase_folders(cohort)


def _unused(model: type[models.Model]) -> dict[str, None]:
    """Returns the filter by rows that no other row names."""
    return {relation.name: None for relation in model._meta.related_objects}
