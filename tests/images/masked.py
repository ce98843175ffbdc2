"""A cohort whose images have masks of drawn lungs with an opacity."""

import io

import numpy as np
import PIL.Image

from feedback_app.images.blobs.services import store, store_image
from feedback_app.images.models import Cohort, CohortImage, Mask, Patient, Split
from generation.conditioning.masks import encode_mask
from tests.generation.chests import chest

SIDE = 64


def make_masked_cohort(*, name: str = "ward", **splits: int) -> Cohort:
    """So many images of each split, ``a_train_0`` and so on, no two masks of them alike."""
    cohort = Cohort.objects.create(name=name, source="folder")
    numbered = [(split, number) for split, count in splits.items() for number in range(count)]
    for shift, (split, number) in enumerate(numbered):
        patient = Patient.objects.create(
            cohort=cohort, source_id=f"{split} {number}", split=Split(split)
        )
        image = CohortImage.objects.create(
            image=store_image(_grey(shift), name="grey.png"),
            cohort=cohort,
            patient=patient,
            source_id=f"{name}_{split}_{number}.png",
        )
        for kind, mask in chest(SIDE).items():
            content = encode_mask(np.roll(mask, shift % 5 - 2, axis=1))
            blob = store(content, media_type="image/png")
            Mask.objects.create(cohort_image=image, kind=kind, blob=blob)
    return cohort


def _grey(value: int) -> bytes:
    file = io.BytesIO()
    pixels = np.full((SIDE, SIDE), 60 + value, dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
