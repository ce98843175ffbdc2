"""Measuring candidates without a scorer: by a function of the picture, or by training images."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from django.db.models import QuerySet

from feedback_app.images.blobs.models import Image, Measure
from feedback_app.images.blobs.pixels import pixels_of
from feedback_app.images.measures import NEAREST_TRAINING_IMAGE, OF_PICTURES, MeasureKind
from feedback_app.images.scorers.tasks.networks import UNREADABLE
from feedback_app.images.versions.folders import folder_of
from feedback_app.images.versions.models import ModelVersion
from generation.measures.nearest_training_image import SCORER_VERSION, NearestTrainingImage

AT_ONCE = 64


def measure_plainly(
    keys: Sequence[str], *, version: ModelVersion, log: Callable[[str], None]
) -> None:
    """Measure the candidates of these recipes, all of one version; no image waits for it."""
    images = Image.objects.filter(candidate__recipe__in=keys).select_related("blob")
    try:
        unmeasured = images.exclude(measures__scorer=NEAREST_TRAINING_IMAGE)
        measure_closeness(list(unmeasured), version=version)
    except UNREADABLE as error:
        log(f"Closeness to training images could not be measured: {error}")
    for kind in OF_PICTURES:
        for _ in measure_pictures(kind, images):
            pass


def measure_pictures(kind: MeasureKind, images: QuerySet[Image]) -> Iterator[int]:
    """Measure those that have no value of this version yet; gives how many, part by part."""
    assert kind.function is not None
    measured = Measure.objects.filter(scorer=kind.name, version=kind.version)
    waiting = list(images.exclude(measures__in=measured).values_list("pk", flat=True))
    for first in range(0, len(waiting), AT_ONCE):
        part = Image.objects.select_related("blob").filter(pk__in=waiting[first : first + AT_ONCE])
        rows = [
            Measure(
                image=image,
                scorer=kind.name,
                version=kind.version,
                value=kind.function(pixels_of(image)),
            )
            for image in part
        ]
        Measure.objects.bulk_create(rows, ignore_conflicts=True)
        yield len(rows)


def measure_closeness(images: Sequence[Image], *, version: ModelVersion) -> None:
    """Say how close each image is to the nearest one that the base model was trained on."""
    base = version.ancestry[0]
    folder = folder_of(base.location)
    if not images or folder is None or not (folder / "quality").is_dir():
        return
    nearest = _load_scorer(folder / "quality", base.sha256)
    similarities, indexes = nearest.similarity([pixels_of(image) for image in images])
    Measure.objects.bulk_create(
        (
            Measure(
                image=image,
                scorer=NEAREST_TRAINING_IMAGE,
                version=f"{SCORER_VERSION}, {base.sha256[:12]}",
                value=float(similarity),
                details={
                    "threshold": float(nearest.threshold),
                    "is_too_close": bool(similarity > nearest.threshold),
                    "nearest_image_id": nearest.reference.train_image_ids[int(index)],
                },
            )
            for image, similarity, index in zip(images, similarities, indexes, strict=True)
        ),
        ignore_conflicts=True,
    )


@lru_cache(maxsize=2)
def _load_scorer(folder: Path, weights: str) -> NearestTrainingImage:
    """Returns the scorer beside these weights; other weights in the same folder are another
    scorer.
    """
    return NearestTrainingImage.load(folder)
