"""Training folders and manifests: a cohort's images as files that the torch side reads."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

from django.db.models import Q, QuerySet
from pydantic import TypeAdapter

from feedback_app.images.blobs.places import path_of_blob
from feedback_app.images.blobs.services import naming_a_full_disk
from feedback_app.images.cohorts.models import Cohort, CohortImage, Mask
from generation.conditioning.findings import FINDINGS
from generation.specs import (
    ClassifierSpec,
    ContinueSpec,
    ControlNetSpec,
    PretrainSpec,
    SegmenterSpec,
    TrainingImage,
    write_spec,
)

COLUMNS = (
    *("pk", "source_id", "image__blob", "findings", "unknown_findings", "is_labelled", "view"),
    *("age_years", "patient__source_id", "patient__split", "patient__sex", "patient__race"),
)
TrainingSpec = PretrainSpec | ContinueSpec | ControlNetSpec | SegmenterSpec | ClassifierSpec


def write_manifest(cohort: Cohort, path: Path, *, masks: QuerySet[Mask] | None = None) -> None:
    """One line of JSON an image, of all splits, in a fixed order, with those of its ``masks``."""
    line_of = TypeAdapter(TrainingImage)
    chosen = Mask.objects.none() if masks is None else masks
    images = cohort.images.order_by("source_id")
    with path.open("wb") as file:
        for row in training_rows(images, masks=chosen, path_of=path_of_blob):
            file.write(line_of.dump_json(row) + b"\n")


def write_training_folder(
    run_dir: Path,
    spec: TrainingSpec,
    cohort: Cohort,
    *,
    masks: QuerySet[Mask] | None = None,
) -> None:
    """What a training child reads: its spec, and the manifest that the spec names."""
    with naming_a_full_disk("the training manifest"):
        run_dir.mkdir(parents=True)
        write_manifest(cohort, Path(spec.manifest), masks=masks)
        write_spec(spec, run_dir / "spec.json")


def training_rows(
    images: QuerySet[CohortImage], *, masks: QuerySet[Mask], path_of: Callable[[str], str]
) -> Iterator[TrainingImage]:
    """Images in their order, with those of these masks; ``path_of`` takes a blob's hash.

    Of an image without any label from its source, all findings are unknown. Cohorts have
    hundreds of thousands of images, so no model instances are made.
    """
    of_images: dict[UUID, dict[str, str]] = defaultdict(dict)
    chosen = masks.filter(cohort_image__in=images.values("pk")).order_by("pk")
    for image, kind, blob in chosen.values_list("cohort_image", "kind", "blob"):
        of_images[image][kind] = path_of(blob)
    labelled = images.annotate(is_labelled=~Q(source_labels={}))
    for row in labelled.values(*COLUMNS).iterator(chunk_size=2_000):
        yield TrainingImage(
            path=path_of(row["image__blob"]),
            image_id=row["source_id"],
            patient=row["patient__source_id"],
            split=row["patient__split"],
            findings=tuple(row["findings"]),
            unknown=tuple(row["unknown_findings"]) if row["is_labelled"] else FINDINGS,
            masks=of_images.get(row["pk"], {}),
            view=row["view"],
            sex=row["patient__sex"],
            race=row["patient__race"],
            age_years=row["age_years"],
        )
