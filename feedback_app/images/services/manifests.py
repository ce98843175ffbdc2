"""Training folders and manifests: a cohort's images as files that the torch side reads."""

from pathlib import Path

from django.core.files.storage import default_storage
from django.db.models import Prefetch, QuerySet
from pydantic import TypeAdapter

from feedback_app.images.models import Cohort, CohortImage, Mask
from feedback_app.images.services.blobs import naming_a_full_disk
from generation.conditioning.findings import FINDINGS
from generation.specs import (
    ClassifierSpec,
    ControlNetSpec,
    PretrainSpec,
    SegmenterSpec,
    TrainingImage,
    write_spec,
)

TrainingSpec = PretrainSpec | ControlNetSpec | SegmenterSpec | ClassifierSpec


def write_manifest(cohort: Cohort, path: Path, *, masks: QuerySet[Mask] | None = None) -> None:
    """One line of JSON an image, of all splits, in a fixed order, with those of its ``masks``."""
    line_of = TypeAdapter(TrainingImage)
    chosen = Mask.objects.none() if masks is None else masks
    images = cohort.images.select_related("image__blob", "patient").prefetch_related(
        Prefetch("masks", chosen.select_related("blob"))
    )
    with path.open("wb") as file:
        for image in images.order_by("source_id").iterator(chunk_size=1_000):
            path_of_blob = default_storage.path(image.image.blob.path)
            file.write(line_of.dump_json(training_image(image, path=path_of_blob)) + b"\n")


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


def training_image(image: CohortImage, *, path: str) -> TrainingImage:
    """An image as the file at ``path``, with its masks.

    Of one without any label from its source, all findings are unknown.
    """
    return TrainingImage(
        path=path,
        image_id=image.source_id,
        patient=image.patient.source_id,
        split=image.patient.split,  # type: ignore[arg-type]
        findings=tuple(image.findings),
        unknown=tuple(image.unknown_findings) if image.source_labels else FINDINGS,
        masks={mask.kind: default_storage.path(mask.blob.path) for mask in image.masks.all()},
        view=image.view,
        sex=image.patient.sex,
        race=image.patient.race,
        age_years=image.age_years,
    )
