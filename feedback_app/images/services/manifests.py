"""Training manifests: a cohort's images as files that the torch side reads."""

from pathlib import Path

from django.core.files.storage import default_storage
from pydantic import TypeAdapter

from feedback_app.images.models import Cohort, CohortImage
from generation.conditioning.masks import OPACITY_FINDINGS, encode_mask, rasterise_boxes
from generation.specs import TrainingImage


def write_manifest(cohort: Cohort, path: Path, *, with_masks: bool = False) -> None:
    """One line of JSON an image, of all splits, in a fixed order.

    With masks, opacities' boxes become mask files in a folder beside the manifest.
    """
    line_of = TypeAdapter(TrainingImage)
    images = cohort.images.select_related("image__blob", "patient").order_by("source_id")
    if with_masks:
        images = images.prefetch_related("masks__blob", "boxes")
    with path.open("wb") as file:
        for image in images.iterator(chunk_size=1_000):
            masks = mask_paths(image, folder=path.parent / "masks") if with_masks else {}
            file.write(line_of.dump_json(_training_image(image, masks=masks)) + b"\n")


def mask_paths(image: CohortImage, *, folder: Path) -> dict[str, str]:
    """The image's masks by kind; one of opacities is drawn from boxes where there is none."""
    paths = {mask.kind: default_storage.path(mask.blob.path) for mask in image.masks.all()}
    boxes = [
        (box.x, box.y, box.width, box.height)
        for box in image.boxes.all()
        if box.finding in OPACITY_FINDINGS
    ]
    if boxes and "opacity" not in paths:
        drawn = rasterise_boxes(boxes, size=(image.image.width, image.image.height))
        folder.mkdir(exist_ok=True)
        file = folder / f"{image.pk}-opacity.png"
        file.write_bytes(encode_mask(drawn))
        paths["opacity"] = str(file)
    return paths


def _training_image(image: CohortImage, *, masks: dict[str, str]) -> TrainingImage:
    return TrainingImage(
        path=default_storage.path(image.image.blob.path),
        image_id=image.source_id,
        patient=image.patient.source_id,
        split=image.patient.split,  # type: ignore[arg-type]
        findings=tuple(image.findings),
        masks=masks,
        view=image.view,
        sex=image.patient.sex,
        age_years=image.age_years,
    )
