"""Building the archive of a curated set in a format, with a manifest of every file."""

from collections.abc import Callable, Mapping
from pathlib import Path

from django.db.models import QuerySet

from feedback_app.curation.models import CuratedItem, CuratedSet
from feedback_app.exports import readings
from feedback_app.exports.archives import Archive
from feedback_app.exports.croissant import CROISSANT, describe_dataset
from feedback_app.exports.formats import Format
from feedback_app.exports.manifests import MANIFEST, write_manifest
from feedback_app.images.models import CohortImage
from generation.errors import RemediableError


def build(
    curated_set: CuratedSet,
    *,
    file_format: Format,
    path: Path,
    report: Callable[[int], None],
    with_readings: bool = False,
    replaced: Mapping[str, str] | None = None,
) -> int:
    """Write the archive of a curated set; how many images it holds.

    ``with_readings`` puts a table of what each reader said into it. ``replaced`` is what the
    manifest says of the export that this one is made instead of.
    """
    refuse_real_images(curated_set)
    items = items_of(curated_set)
    with Archive(path) as archive:
        if with_readings:
            archive.add_table(readings.TABLE, readings.answers_behind(curated_set))
        file_format.write(archive, curated_set, items, report)
        described = describe_dataset(
            archive,
            name=f"curated-{curated_set.sha256[:8]}",
            description=f"Synthetic chest X-rays curated by the policy {curated_set.policy.name}. "
            "They show no patient. Not for clinical use.",
            on=curated_set.created_at,
        )
        archive.add(CROISSANT, described)
        about = {
            "format": file_format.name,
            "policy": curated_set.policy.name,
            "curated_set_sha256": curated_set.sha256,
            "readers_simulated": curated_set.is_simulated,
        }
        archive.add(MANIFEST, write_manifest(about, files=archive.files, replaced=replaced))
    return len(items)


def items_of(curated_set: CuratedSet) -> QuerySet[CuratedItem]:
    """In the set's order, with all that a format may want of them."""
    return (
        curated_set.items.select_related(
            "candidate__image__blob",
            "candidate__recipe__model_version",
            "candidate__recipe__repair__original__image",
        )
        .prefetch_related("candidate__recipe__masks__blob")
        .order_by("position")
    )


def refuse_real_images(curated_set: CuratedSet) -> None:
    """Fail where an image is, or has the very pixels of, an image of a cohort."""
    real = CohortImage.objects.filter(
        image__pixels_sha256__in=curated_set.items.values("candidate__image__pixels_sha256")
    )
    if found := real.select_related("cohort").first():
        raise RemediableError(
            f"The curated set holds a real image: {found.source_id} of the cohort {found.cohort}.",
            remedy="Real images never leave in an export. Curate again without it.",
        )
