"""Importing cohorts: parsed rows in, patients, images, masks and boxes out."""

import io
import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from django.conf import settings
from django.db import DataError, transaction

from feedback_app.accounts.models import User
from feedback_app.images.models import Box, Cohort, CohortImage, Mask, Patient
from feedback_app.images.services.blobs import FullDiskError, open_picture, store, store_image
from feedback_app.runs import services as runs
from feedback_app.runs.kinds import handles
from feedback_app.runs.models import Run
from feedback_app.runs.progress import Progress
from generation.conditioning.masks import OPACITY_FINDINGS, rasterise_boxes
from generation.conditioning.masks import encode_mask as encode_bools
from generation.datasets.folder import read_folder
from generation.datasets.nih import read_nih
from generation.datasets.parsed import Skip, Source, SourceImage, SourceMask
from generation.datasets.splits import split_of
from generation.errors import RemediableError

SOURCES = ("nih", "folder")
COHORT_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
REPORT_EVERY = 10
LOGGED_SKIPS = 100
"""Lines of the log; the run's result has them all."""
GREY_MODES = {"1", "L", "I", "I;16", "I;16B"}


@dataclass
class Report:
    """What an import did, and what it left out and why."""

    added: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    skipped: list[Skip] = field(default_factory=list)

    def as_result(self) -> dict[str, Any]:
        return {
            "added": dict(sorted(self.added.items())),
            "unchanged": self.unchanged,
            "skipped": [asdict(skip) for skip in self.skipped],
        }


def start_import(
    source: str,
    path: Path,
    *,
    name: str,
    mask_kind: str = "lungs",
    rsna: Path | None = None,
    created_by: User | None = None,
) -> Run:
    """Queue the import of a data set as the cohort ``name``.

    ``mask_kind`` says what the masks of a folder show; ``rsna`` is where NIH images'
    opacity boxes come from.
    """
    if not COHORT_NAME.fullmatch(name):
        raise RemediableError(
            f"“{name}” cannot be a cohort's name.",
            remedy="Use up to 64 letters, digits, hyphens and underscores, without spaces.",
        )
    return runs.start(
        "import_cohort",
        title=f"Import {name} from {path.name}",
        spec={
            "source": source,
            "path": str(path),
            "name": name,
            "mask_kind": mask_kind,
            "rsna": str(rsna) if rsna else "",
        },
        created_by=created_by,
    )


@handles("import_cohort")
def import_cohort(progress: Progress) -> dict[str, object]:
    """Read what is there, bring in what is missing, report the rest."""
    spec = progress.run.spec
    rsna = Path(spec["rsna"]) if spec.get("rsna") else None
    source = read_source(spec["source"], Path(spec["path"]), mask_kind=spec["mask_kind"], rsna=rsna)
    cohort = open_cohort(spec["name"], source=spec["source"])
    report = ingest(source, cohort=cohort, progress=progress)
    for skip in report.skipped[:LOGGED_SKIPS]:
        progress.log(f"{skip.file} ({skip.what}): {skip.reason}")
    return {"cohort": cohort.name, **report.as_result()}


def read_source(source: str, path: Path, *, mask_kind: str, rsna: Path | None) -> Source:
    match source:
        case "nih":
            return read_nih(path, rsna=rsna)
        case "folder":
            return read_folder(path, mask_kind=mask_kind)
    raise RemediableError(
        f"There is no importer {source!r}.", remedy=f"Use one of: {', '.join(SOURCES)}."
    )


def open_cohort(name: str, *, source: str) -> Cohort:
    """The cohort of this name, made where there is none; one of another source is refused."""
    cohort, _ = Cohort.objects.get_or_create(name=name, defaults={"source": source})
    if cohort.source != source:
        raise RemediableError(
            f"The cohort {name!r} was imported from {cohort.source!r}, not from {source!r}.",
            remedy="Give this data set a name of its own with --name.",
        )
    return cohort


def ingest(source: Source, *, cohort: Cohort, progress: Progress) -> Report:
    """Bring in all that is not there yet, each image in a transaction of its own."""
    report = Report()
    done = 0
    for row in source.rows:
        if isinstance(row, Skip):
            report.skipped.append(row)
            continue
        before = report.added.copy(), report.unchanged
        try:
            ingest_image(row, cohort=cohort, report=report)
        except (DataError, ValueError) as error:  # the database refuses a value, NUL for one
            report.added, report.unchanged = before  # the image was rolled back with all it has
            reason = f"cannot be stored: {str(error).splitlines()[0]}"
            report.skipped.append(Skip(file=row.source_id, reason=reason))
        done += 1
        if done % REPORT_EVERY == 0:
            report_progress(progress, report=report, done=done, total=source.total)
    report_progress(progress, report=report, done=source.total, total=source.total)
    return report


def report_progress(progress: Progress, *, report: Report, done: int, total: int) -> None:
    note = f"{report.added['images']} added, {report.unchanged} there already"
    if report.skipped:
        note += f", {len(report.skipped)} skipped"
    progress.update(done, total=total, note=note)


@transaction.atomic
def ingest_image(row: SourceImage, *, cohort: Cohort, report: Report) -> None:
    """Add one image with its masks and boxes, or complete one that is there."""
    # Two imports of one cohort at a time take turns, image by image.
    Cohort.objects.select_for_update().get(pk=cohort.pk)
    known = CohortImage.objects.filter(cohort=cohort, source_id=row.source_id)
    image = known.select_related("image", "patient").first()
    try:
        if image is None:
            image = add_image(row, cohort=cohort)
            report.added["images"] += 1
        else:
            report.unchanged += 1
            report.skipped += compare(image, row)
    except FullDiskError:
        raise
    except RemediableError as error:
        report.skipped.append(Skip(file=row.source_id, reason=reason_of(error, path=row.path)))
        return
    for mask in row.masks:
        add_mask(mask, image=image, report=report)
    add_boxes(row, image=image, report=report)


def reason_of(error: RemediableError, *, path: Path) -> str:
    """What is wrong, without the file's name, which stands beside it."""
    return str(error).removeprefix(f"{path.name} ")


def add_image(row: SourceImage, *, cohort: Cohort) -> CohortImage:
    image = store_image(read_bounded(row.path), name=row.path.name)
    patient, _ = Patient.objects.get_or_create(
        cohort=cohort,
        source_id=row.patient,
        defaults={"sex": row.sex, "split": split_of(row.patient, cohort=cohort.name)},
    )
    return CohortImage.objects.create(
        image=image,
        cohort=cohort,
        patient=patient,
        source_id=row.source_id,
        findings=list(row.findings),
        source_labels=dict(row.source_labels),
        view=row.view,
        age_years=row.age_years,
    )


def compare(image: CohortImage, row: SourceImage) -> list[Skip]:
    """A skip where the source now says something else of an image than when it came in."""
    stored = (image.patient.source_id, image.source_labels, image.findings)
    if stored == (row.patient, dict(row.source_labels), list(row.findings)):
        return []
    reason = "is there already with another patient, group or labels: kept as it was"
    return [Skip(file=row.source_id, what="label", reason=reason)]


def read_bounded(path: Path) -> bytes:
    """The file's bytes, one more than allowed at most: a larger file is refused by its size."""
    try:
        with path.open("rb") as file:
            return file.read(settings.IMAGE_MAX_BYTES + 1)
    except OSError as error:
        raise RemediableError(
            f"{path.name} cannot be read: {error.strerror}",
            remedy="Make the file readable, or leave it out.",
        ) from error


def add_mask(mask: SourceMask, *, image: CohortImage, report: Report) -> None:
    """Add a mask that people drew, in place of a pseudo-mask where there is one."""
    if image.masks.drawn_by_people().filter(kind=mask.kind).exists():
        return
    try:
        content = read_mask(mask.path, image=image)
    except RemediableError as error:
        reason = reason_of(error, path=mask.path)
        report.skipped.append(Skip(file=f"masks/{mask.path.name}", what="mask", reason=reason))
        return
    blob = store(content, media_type="image/png")
    Mask.objects.update_or_create(
        cohort_image=image, kind=mask.kind, defaults={"blob": blob, "confidence": None}
    )
    report.added["masks"] += 1


def read_mask(path: Path, *, image: CohortImage) -> bytes:
    """A mask as an 8-bit grey PNG of 0 and 255; refused where it does not fit its image."""
    picture = open_picture(read_bounded(path), name=path.name)
    size = (image.image.width, image.image.height)
    if picture.size != size:
        raise RemediableError(
            f"has {picture.width} x {picture.height} pixels, its image {size[0]} x {size[1]}",
            remedy="Make the mask at the size of its image.",
        )
    return encode_mask(picture)


def encode_mask(picture: PIL.Image.Image) -> bytes:
    is_grey = picture.mode in GREY_MODES
    grey = np.asarray(picture) if is_grey else np.asarray(picture.convert("RGB")).max(axis=-1)
    values = np.unique(grey)
    if len(values) > 2 or (len(values) == 2 and values[0] != 0):
        raise RemediableError(
            f"has {len(values)} grey values; a mask has two, zero and another",
            remedy="Save the mask with two values, without smoothing or JPEG.",
        )
    file = io.BytesIO()
    PIL.Image.fromarray(np.where(grey > 0, 255, 0).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def add_boxes(row: SourceImage, *, image: CohortImage, report: Report) -> None:
    """Add the boxes that are missing, in pixels of the stored image."""
    width, height = image.image.width, image.image.height
    for box in row.boxes:
        _, created = Box.objects.get_or_create(
            cohort_image=image,
            finding=box.finding,
            x=box.x * width,
            y=box.y * height,
            width=box.width * width,
            height=box.height * height,
        )
        report.added["boxes"] += created
    add_opacity_mask(image)


def add_opacity_mask(image: CohortImage) -> None:
    """A mask of the boxes around opacities, where nobody has outlined them."""
    boxes = image.boxes.filter(finding__in=OPACITY_FINDINGS)
    corners = list(boxes.values_list("x", "y", "width", "height"))
    if not corners or image.masks.filter(kind="opacity").exists():
        return
    mask = rasterise_boxes(corners, size=(image.image.width, image.image.height))
    if not mask.any():
        return
    blob = store(encode_bools(mask), media_type="image/png")
    Mask.objects.create(cohort_image=image, kind="opacity", blob=blob, is_from_boxes=True)
