"""Bringing prepared images in: a few at a time, in one transaction, in the order they came."""

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from django.db import DataError, IntegrityError, transaction

from feedback_app.images.blobs.models import Blob, Image
from feedback_app.images.cohorts.import_report import Report, Tally
from feedback_app.images.cohorts.models import Box, Cohort, CohortImage, Fingerprint, Mask, Patient
from feedback_app.images.cohorts.preparing import Known, Prepared, prepare
from feedback_app.images.cohorts.shared_pictures import (
    OtherCohorts,
    align_splits,
    link,
    take_turn,
)
from generation.datasets.files import is_text, legible
from generation.datasets.parsed import Skip, Source, SourceImage
from generation.datasets.splits import split_of

CHUNK = 16
"""Images of one transaction."""
CHUNKS_AHEAD = 3
"""Prepared while an earlier one is written; together they bound the memory."""

PLACE = ("finding", "x", "y", "width", "height")
"""What tells two boxes of an image apart."""
THREADS_A_CORE = 2
"""While one waits for the disk, another computes."""
NAME_MAX, PATIENT_MAX = (
    model._meta.get_field("source_id").max_length or 0 for model in (CohortImage, Patient)
)
SHOWN_CHARACTERS = 400


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where images come in. ``patients_of`` names the data set whose splits hold."""

    cohort: Cohort
    patients_of: str
    others: OtherCohorts


def ingest(source: Source, *, cohort: Cohort, report: Report) -> None:
    """Bring in all that is not there yet; memory does not grow with the number of images."""
    target = Target(
        cohort=cohort,
        patients_of=source.patients_of or cohort.name,
        others=OtherCohorts(cohort),
    )
    report.skip(source.warnings)
    pool = ThreadPoolExecutor(max_workers=THREADS_A_CORE * usable_cores())
    try:
        for prepared in prepare_ahead(source.rows, cohort=cohort, pool=pool, report=report):
            write(prepared, target=target, report=report)
            report.done += len(prepared)
            report.tell(total=source.total)
    finally:
        pool.shutdown(cancel_futures=True)
    report.done = source.total
    report.tell(total=source.total)


def prepare_ahead(
    rows: Iterator[SourceImage | Skip], *, cohort: Cohort, pool: ThreadPoolExecutor, report: Report
) -> Iterator[list[Prepared]]:
    """Yields chunks of prepared images, a few of them under way at any time."""
    under_way: deque[list[Future[Prepared]]] = deque()
    for chunk in chunks_of(rows, report=report):
        known = known_images(chunk, cohort=cohort)
        under_way.append([pool.submit(prepare, row, known.get(row.source_id)) for row in chunk])
        if len(under_way) > CHUNKS_AHEAD:
            yield [future.result() for future in under_way.popleft()]
    while under_way:
        yield [future.result() for future in under_way.popleft()]


def chunks_of(rows: Iterator[SourceImage | Skip], *, report: Report) -> Iterator[list[SourceImage]]:
    """Yields the images among the rows; skips go to the report on the way."""

    def images() -> Iterator[SourceImage]:
        for row in rows:
            if isinstance(row, Skip):
                report.skip([row])
            elif reason := unstorable(row):
                report.skip([Skip(file=legible(row.source_id)[:SHOWN_CHARACTERS], reason=reason)])
            else:
                yield row

    found = images()
    while chunk := list(islice(found, CHUNK)):
        yield chunk


def unstorable(row: SourceImage) -> str:
    """Returns why the database cannot hold an image's names, empty where it can."""
    names = {  # an image without a patient is one of its own, of its name
        "name": (row.source_id, NAME_MAX if row.patient else PATIENT_MAX),
        "patient": (row.patient or "x", PATIENT_MAX),
    }
    for what, (name, most) in names.items():
        if not is_text(name):
            return f"its {what} cannot be written in UTF-8, or has a NUL in it: rename it"
        if len(name) > most:
            return f"its {what} has more than {most} characters"
    return ""


def known_images(rows: Sequence[SourceImage], *, cohort: Cohort) -> dict[str, Known]:
    images = cohort.images.filter(source_id__in=[row.source_id for row in rows])
    return {
        image.source_id: Known(
            width=image.image.width,
            height=image.image.height,
            mask_kinds=frozenset(mask.kind for mask in image.masks.all() if not mask.is_pseudo),
        )
        for image in images.select_related("image").prefetch_related("masks")
    }


def write(prepared: Sequence[Prepared], *, target: Target, report: Report) -> None:
    """Store some images together, or one by one where the database refuses one of them."""
    try:
        report.count(store(prepared, target=target))
    except (DataError, IntegrityError, ValueError) as error:
        if len(prepared) == 1:
            reason = f"cannot be stored: {str(error).splitlines()[0]}"
            report.skip([Skip(file=prepared[0].row.source_id, reason=reason)])
            return
        for one in prepared:
            write([one], target=target, report=report)


@transaction.atomic
def store(prepared: Sequence[Prepared], *, target: Target) -> Tally:
    """Add images with their masks and boxes, and complete those that are there."""
    take_turn()
    tally = Tally(skips=[skip for one in prepared for skip in one.skips])
    images = find_images(prepared, cohort=target.cohort)
    for one in prepared:
        if (image := images.get(one.row.source_id)) is not None:
            tally.unchanged += 1
            tally.skips += compare(image, one.row)
    store_blobs(prepared)
    new = [one for one in prepared if one.picture and one.row.source_id not in images]
    added = add_images(new, target=target)
    images |= {image.source_id: image for image in added}
    tally.added["images"] += len(added)
    for one in prepared:
        if (image := images.get(one.row.source_id)) is not None:
            tally.added["masks"] += add_masks(one, image=image)
    tally.added["boxes"] += add_boxes(prepared, images=images)
    bits = [one.picture.fingerprint for one in new if one.picture]
    tally.shared += link(added, bits=bits, others=target.others)
    tally.moved += align_splits(added)
    return tally


def find_images(prepared: Sequence[Prepared], *, cohort: Cohort) -> dict[str, CohortImage]:
    images = cohort.images.filter(source_id__in=[one.row.source_id for one in prepared])
    return {image.source_id: image for image in images.select_related("image", "patient")}


def compare(image: CohortImage, row: SourceImage) -> list[Skip]:
    """Returns a skip where the source now says something else of an image than when it came in."""
    stored = (image.source_labels, image.findings)
    is_same_patient = row.patient is None or row.patient == image.patient.source_id
    if is_same_patient and stored == (dict(row.source_labels), list(row.findings)):
        return []
    reason = "is there already with another patient, group or labels: kept as it was"
    return [Skip(file=row.source_id, what="label", reason=reason)]


def store_blobs(prepared: Sequence[Prepared]) -> None:
    """The rows of blobs whose files are written already."""
    pictures = [one.picture.blob for one in prepared if one.picture]
    masks = [mask.blob for one in prepared for mask in one.masks]
    Blob.objects.bulk_create([*pictures, *masks], ignore_conflicts=True)


def add_images(prepared: Sequence[Prepared], *, target: Target) -> list[CohortImage]:
    """Stores new images with their patients and fingerprints."""
    patients = find_patients(prepared, target=target)
    added = []
    for one in prepared:
        assert one.picture is not None
        row, picture = one.row, one.picture
        added.append(
            CohortImage(
                image=Image(
                    blob=picture.blob,
                    pixels_sha256=picture.pixels_sha256,
                    width=picture.width,
                    height=picture.height,
                ),
                cohort=target.cohort,
                patient=patients[patient_of(one)],
                source_id=row.source_id,
                findings=list(row.findings),
                unknown_findings=list(row.unknown_findings),
                is_normal=row.is_normal,
                source_labels=dict(row.source_labels),
                known_as=row.known_as,
                view=row.view or picture.view,
                age_years=picture.age_years if row.age_years is None else row.age_years,
                spacing_mm=picture.spacing_mm and list(picture.spacing_mm),
            )
        )
    Image.objects.bulk_create(image.image for image in added)
    CohortImage.objects.bulk_create(added)
    Fingerprint.objects.bulk_create(
        Fingerprint(cohort_image=image, bits=one.picture.fingerprint)
        for image, one in zip(added, prepared, strict=True)
        if one.picture
    )
    return added


def patient_of(one: Prepared) -> str:
    """Returns the source's patient, else the file header's, else the image is a patient of its
    own.
    """
    header = one.picture.patient if one.picture else ""
    return one.row.patient or header or one.row.source_id


def find_patients(prepared: Sequence[Prepared], *, target: Target) -> dict[str, Patient]:
    """Returns the patients of these images by their source's id, made where there are none."""
    first_of = {patient_of(one): one for one in reversed(prepared)}
    known = target.cohort.patients.filter(source_id__in=first_of)
    patients = {patient.source_id: patient for patient in known}
    new = [
        Patient(
            cohort=target.cohort,
            source_id=key,
            sex=one.row.sex or (one.picture.sex if one.picture else ""),
            race=one.row.race,
            split=split_of(key, cohort=target.patients_of),
        )
        for key, one in first_of.items()
        if key not in patients
    ]
    return patients | {patient.source_id: patient for patient in Patient.objects.bulk_create(new)}


def add_masks(one: Prepared, *, image: CohortImage) -> int:
    """Add masks, in place of pseudo-masks where there are some; how many somebody outlined."""
    for mask in one.masks:
        Mask.objects.update_or_create(
            cohort_image=image,
            kind=mask.kind,
            defaults={
                "blob": mask.blob,
                "confidence": None,
                "is_from_boxes": mask.is_from_boxes,
            },
        )
    return sum(not mask.is_from_boxes for mask in one.masks)


def add_boxes(prepared: Sequence[Prepared], *, images: Mapping[str, CohortImage]) -> int:
    """Add the boxes that are missing, in pixels of the stored image; how many."""
    boxes = [
        box
        for one in prepared
        if (image := images.get(one.row.source_id)) is not None
        for box in boxes_of(one.row, image=image)
    ]
    there = set(
        Box.objects.filter(cohort_image__in={box.cohort_image_id for box in boxes}).values_list(
            "cohort_image", *PLACE
        )
    )
    new = {box_key(box): box for box in boxes if box_key(box) not in there}
    return len(Box.objects.bulk_create(new.values()))


def boxes_of(row: SourceImage, *, image: CohortImage) -> Iterator[Box]:
    width, height = image.image.width, image.image.height
    for box in row.boxes:
        yield Box(
            cohort_image=image,
            finding=box.finding,
            x=box.x * width,
            y=box.y * height,
            width=box.width * width,
            height=box.height * height,
        )


def box_key(box: Box) -> tuple[object, ...]:
    return (box.cohort_image_id, *(getattr(box, name) for name in PLACE))


def usable_cores() -> int:
    """Returns the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
