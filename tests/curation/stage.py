"""A study that readers have read, without a model: for tests of what follows from readings."""

import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import PIL.Image

from feedback_app.accounts.models import User
from feedback_app.images.blobs.services import store_image
from feedback_app.images.measures import NEAREST_TRAINING_IMAGE
from feedback_app.images.models import (
    Batch,
    BatchRecipe,
    Candidate,
    Image,
    Measure,
    ModelVersion,
    Recipe,
)
from feedback_app.readings.models import Reading
from feedback_app.readings.services import GivenFlag, GivenScore, submit
from feedback_app.studies.models import Study
from feedback_app.studies.services import add_cases_from_batch, create_study, open_study
from generation.specs import SampleSpec

PROMPTS = ("pneumonia, frontal", "cardiomegaly", "no finding", "large effusion, AP")


def grey_png(seed: int, *, side: int = 32) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def make_version(name: str = "base", **values: object) -> ModelVersion:
    return ModelVersion.objects.create(
        name=name, location="bundled", sha256=uuid.uuid4().hex * 2, **values
    )


def measure_copy(image: Image, *, value: float, threshold: float = 0.9) -> Measure:
    return Measure.objects.create(
        image=image,
        scorer=NEAREST_TRAINING_IMAGE,
        version="1",
        value=value,
        details={"threshold": threshold},
    )


@dataclass
class Stage:
    """An open study that rates one image at a time; ``candidates`` are in the cases' order."""

    study: Study
    candidates: list[Candidate]

    def read(
        self,
        reader: User,
        index: int,
        scores: Mapping[str, int] | int,
        *,
        flags: Mapping[str, str] | None = None,
    ) -> Reading:
        """``reader`` scores candidate ``index``; a number is the score on every criterion."""
        image = self.candidates[index].image
        slot = self.study.slots.get(reader=reader, case__images=image)
        criteria = self.study.criteria.values_list("slug", flat=True)
        values = scores if isinstance(scores, Mapping) else dict.fromkeys(criteria, scores)
        return submit(
            slot=slot,
            reader=reader,
            idempotency_key=uuid.uuid4(),
            scores=[GivenScore(place=0, criterion=slug, value=values[slug]) for slug in criteria],
            flags=[
                GivenFlag(place=0, flag=flag, grade=grade) for flag, grade in (flags or {}).items()
            ],
        )


def set_stage(
    *readers: User,
    count: int = 4,
    name: str = "Study",
    version: ModelVersion | None = None,
    measured: bool = True,
) -> Stage:
    """A study of ``count`` candidates that every reader reads; none is a near copy."""
    made_by = version or ModelVersion.objects.first() or make_version()
    batch = Batch.objects.create(name=f"Batch of {name}", model_version=made_by)
    first = Recipe.objects.count()
    candidates = []
    for index in range(count):
        sample = SampleSpec(prompt=PROMPTS[index % len(PROMPTS)], seed=first + index)
        recipe = Recipe.of(made_by, sample)
        recipe.save()
        BatchRecipe.objects.create(batch=batch, recipe=recipe, position=index, prompt_index=index)
        image = store_image(grey_png(first + index), name="candidate")
        candidates.append(Candidate.objects.create(image=image, recipe=recipe))
        if measured:
            measure_copy(image, value=0.5)
    study = create_study(name=name, mode="rate", readers=readers, readers_per_case=len(readers))
    add_cases_from_batch(study, batch)
    return Stage(study=open_study(study), candidates=candidates)
