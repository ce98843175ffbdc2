"""Candidates without a model: small grey PNGs with recipes, made directly as rows."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image

from feedback_app.accounts.models import User
from feedback_app.images.blobs.services import store_image
from feedback_app.images.models import (
    Batch,
    BatchRecipe,
    Candidate,
    Cohort,
    CohortImage,
    Image,
    Mask,
    ModelVersion,
    Patient,
    Recipe,
    RecipeMask,
    Split,
)
from feedback_app.studies.models import Study
from feedback_app.studies.scales import DEFAULT_SCALES
from feedback_app.studies.services import (
    add_cases_from_batch,
    create_study,
    open_study,
)
from generation.specs import SampleSpec

MODEL_NAME = "telltale-model"
BATCH_NAME = "telltale-batch"
SEED = 987_650_000
SIDE = 32


def make_image(number: int, *, side: int = SIDE) -> Image:
    """A ramp of all grey values with a mark of its own."""
    pixels = np.linspace(0, 255, side * side).reshape(side, side).astype(np.uint8)
    pixels[number % side, :] = (37 * number) % 256
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="PNG")
    return store_image(buffer.getvalue(), name=f"{number}.png")


def make_batch(
    *,
    prompts: int = 2,
    each: int = 4,
    unmade: Sequence[int] = (),
    name: str = BATCH_NAME,
    seed: int = SEED,
    model: str = MODEL_NAME,
    masks: Sequence[RecipeMask] = (),
) -> Batch:
    """``prompts`` x ``each`` recipes with their candidates, but for the places ``unmade``."""
    version, _ = ModelVersion.objects.get_or_create(
        name=model,
        defaults={"location": "bundled", "sha256": hashlib.sha256(model.encode()).hexdigest()},
    )
    batch = Batch.objects.create(name=name, model_version=version)
    for place in range(prompts * each):
        prompt = f"prompt number {place // each}"
        rows = [
            RecipeMask(kind=row.kind, parent=row.parent, transforms=row.transforms, blob=row.blob)
            for row in masks
        ]
        recipe = Recipe.of(version, SampleSpec(prompt=prompt, seed=seed + place), masks=rows)
        recipe.save()
        for row in rows:
            row.recipe = recipe
            row.save()
        BatchRecipe.objects.create(
            batch=batch, recipe=recipe, position=place, prompt_index=place // each
        )
        if place not in unmade:
            Candidate.objects.create(image=make_image(place), recipe=recipe)
    return batch


def make_cohort(*, name: str = "real", side: int = SIDE, **splits: int) -> Cohort:
    """A cohort with so many images of each split: ``make_cohort(test=3, train=2)``."""
    cohort = Cohort.objects.create(name=name, source="folder")
    number = 0
    for split, count in splits.items():
        for _ in range(count):
            number += 1
            patient = Patient.objects.create(
                cohort=cohort, source_id=f"{split}-{number}", split=Split(split)
            )
            CohortImage.objects.create(
                image=make_image(100 + number, side=side),
                cohort=cohort,
                patient=patient,
                source_id=f"{number:03}.png",
            )
    return cohort


def make_mask(cohort: Cohort, *, kind: str = "lungs") -> RecipeMask:
    """A mask of the cohort's first image, transformed; what it shows does not matter here."""
    first, second = cohort.images.select_related("image__blob")[:2]
    parent = Mask.objects.create(cohort_image=first, kind=kind, blob=first.image.blob)
    turned = [{"family": "affine", "angle_deg": 2.0}]
    return RecipeMask(kind=kind, parent=parent, transforms=turned, blob=second.image.blob)


def make_study(
    *readers: User,
    mode: str = "rate_k",
    prompts: int = 2,
    each: int = 4,
    readers_per_case: int | None = None,
    name: str = "November",
) -> Study:
    """An open study in which every reader reads every case, unless told otherwise."""
    study = create_study(
        name=name,
        mode=mode,
        readers=readers,
        readers_per_case=readers_per_case or len(readers),
        shuffle_seed=7,
    )
    add_cases_from_batch(study, make_batch(prompts=prompts, each=each, name=f"{BATCH_NAME} {name}"))
    return open_study(study)


def posted_design(**changes: Any) -> dict[str, Any]:
    """What the form posts when nothing but the name was typed."""
    data: dict[str, Any] = {
        "name": "November",
        "mode": "rate_k",
        "readers_per_case": "1",
        "flags": "Clavicles\nHeart outline",
        "scale-TOTAL_FORMS": "4",
        "scale-INITIAL_FORMS": "2",
        "scale-MIN_NUM_FORMS": "0",
        "scale-MAX_NUM_FORMS": "4",
    }
    for number, scale in enumerate(DEFAULT_SCALES):
        data |= {f"scale-{number}-name": scale.name, f"scale-{number}-question": scale.question}
        data |= {f"scale-{number}-anchor_{at}": text for at, text in enumerate(scale.anchors)}
    return data | changes
